"""Why a file could not be had, sorted by what to do."""


class TryLater(Exception):
    """The provider, the scanner or the storage cannot now; the message says which and goes to the agent at the end."""


class GiveUp(Exception):
    """It will not be better later: gone, forbidden, too large. The message goes to the agent."""
