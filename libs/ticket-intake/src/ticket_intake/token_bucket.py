"""How often something may happen: evenly at a rate, with a burst after a quiet time."""


class TokenBucket:
    """Full at first. Times are seconds of any steady clock, given by the caller."""

    __slots__ = ("_at", "_burst", "_per_second", "_tokens")

    def __init__(self, per_second: float, burst: int, now: float) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = self._burst
        self._at = now

    def take(self, now: float) -> float:
        """Take one and return 0, or return in how many seconds there will be one."""
        self._tokens = self._left(now)
        self._at = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self._per_second
        self._tokens -= 1.0
        return 0.0

    def is_full(self, now: float) -> bool:
        """Whether a new bucket would be the same: then this one need not be kept."""
        return self._left(now) >= self._burst

    def _left(self, now: float) -> float:
        return min(self._burst, self._tokens + (now - self._at) * self._per_second)
