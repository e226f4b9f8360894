"""Joins messages to conversations, classifies, grades and assigns."""
