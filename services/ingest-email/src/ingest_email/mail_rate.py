"""How many mails a client address may send in a minute."""

from collections.abc import Callable

_MINUTE = 60.0
_MOST_ADDRESSES = 10_000
"""Remembered at once. Beyond it those who have a full share are forgotten first, which takes nothing from anybody."""


class MailRate:
    """A bucket for each address, filled with a minute's share and topped up evenly. `per_minute` 0 is no limit."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> bool:
        """Take one mail out of the address's share; false when nothing is left."""
        if not self._per_minute:
            return True
        now = self._monotonic()
        left = self._left(address, now)
        if left < 1:
            return False
        if len(self._buckets) >= _MOST_ADDRESSES:
            self._forget_full(now)
        self._buckets[address] = (left - 1, now)
        return True

    def _left(self, address: str, now: float) -> float:
        left, seen = self._buckets.get(address, (float(self._per_minute), now))
        return min(self._per_minute, left + (now - seen) * self._per_minute / _MINUTE)

    def _forget_full(self, now: float) -> None:
        full = [address for address in self._buckets if self._left(address, now) >= self._per_minute]
        for address in full:
            del self._buckets[address]
