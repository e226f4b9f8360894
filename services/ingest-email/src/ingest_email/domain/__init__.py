"""Pure rules of reading mail: bytes and header values in, words out. No I/O, no clock."""
