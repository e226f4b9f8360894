"""Receives mail over SMTP and publishes one message event per delivery."""
