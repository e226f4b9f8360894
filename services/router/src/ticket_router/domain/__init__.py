"""What the router decides, without I/O, clock or chance."""
