"""Requests signed as each provider signs them, that open no ticket: what `firebreak sources check` sends."""
