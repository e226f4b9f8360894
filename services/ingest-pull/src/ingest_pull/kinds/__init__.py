"""Kinds of pull sources, one module each."""
