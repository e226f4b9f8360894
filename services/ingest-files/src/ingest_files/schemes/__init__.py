"""How each provider gives out the files of a message."""
