"""Checks of this repository that no library has."""
