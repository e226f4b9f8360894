"""Which moments count, and the arithmetic over them."""
