"""Senders that speak as the providers do, with a switch for each way to be wrong."""
