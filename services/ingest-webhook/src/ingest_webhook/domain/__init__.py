"""Pure rules of the edge: signatures, text, JSON and identity. No I/O, no clock."""
