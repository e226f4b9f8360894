"""The benchmark's own parts: a figure is worth what the instrument is."""
