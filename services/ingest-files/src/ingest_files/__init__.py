"""Fetches the files that providers keep for us, scans and stores them."""
