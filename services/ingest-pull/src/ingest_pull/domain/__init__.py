"""Pure rules: what lines and rows mean."""
