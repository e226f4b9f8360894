"""How a processor tells the runtime what went wrong, sorted by what the runtime does about it."""


class PoisonRecord(Exception):
    """This record can never be processed: it becomes a dead letter. The message says why, without its content."""


class UnknownType(Exception):
    """An unknown `firebreak.` type: a newer version wrote it. The partition pauses until this service is upgraded."""


class StreamRefused(Exception):
    """A side went back in time or does not fit; no service may go on until an operator acts. Names the command."""
