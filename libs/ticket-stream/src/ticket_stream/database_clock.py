"""Database time between two calls: the moment of the last lease call plus the monotonic time since."""

from collections.abc import Callable


class DatabaseClock:
    """Before the first call it has no time; nothing that needs one runs before."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self._moment: float | None = None
        self._heard_at = 0.0

    def set(self, moment: float) -> None:
        """Take over the database's time (seconds since the epoch), just heard. A step of its clock is followed."""
        self._moment = moment
        self._heard_at = self.monotonic()

    def now(self) -> float:
        assert self._moment is not None, "the first lease call sets the clock"
        return self._moment + self.monotonic() - self._heard_at
