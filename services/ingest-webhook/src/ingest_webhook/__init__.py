"""Receives provider webhooks and publishes message events."""
