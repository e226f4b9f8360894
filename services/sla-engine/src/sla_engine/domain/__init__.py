"""The pure rules of tickets and clocks: no I/O, no clock, no framework."""
