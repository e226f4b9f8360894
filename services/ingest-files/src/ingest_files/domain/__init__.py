"""What a file may do and where it may come from: pure rules."""
