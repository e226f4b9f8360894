"""`make bench`: what this machine can do at most, what we do of it, and where the rest goes."""
