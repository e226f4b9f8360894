"""Reads sources that push nothing, as leased jobs."""
