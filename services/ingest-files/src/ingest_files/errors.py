"""Why a file could not be had or scanned, sorted by what to do."""


class TryLater(Exception):
    """The provider, the scanner or the storage cannot now; the message says which and goes to the agent at the end."""


class NotItsFault(TryLater):
    """Something of ours is away, for this file as for any other: it waits, and that counts as no attempt."""


class GiveUp(Exception):
    """It will not be better later: gone, forbidden, too large. The message goes to the agent."""


class NoQuestion(Exception):
    """The provider lets such a token do nothing but fetch; the message is for a person."""
