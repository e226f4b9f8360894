"""The only writer of ticket state: decides commands, times clocks, raises alerts."""
