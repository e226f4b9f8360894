"""How many mails a client address may send in a minute."""

from collections.abc import Callable

from ticket_intake.token_bucket import TokenBucket

_MINUTE = 60.0
_MOST_ADDRESSES = 10_000
"""Remembered at once. Beyond it those who have a full share are forgotten first, which takes nothing from anybody."""


class MailRate:
    """A bucket for each address, filled with a minute's share and topped up evenly. `per_minute` 0 is no limit."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, address: str) -> bool:
        """Take one mail out of the address's share; false when nothing is left."""
        if not self._per_minute:
            return True
        now = self._monotonic()
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= _MOST_ADDRESSES:
                self._buckets = {known: each for known, each in self._buckets.items() if not each.is_full(now)}
            bucket = self._buckets[address] = TokenBucket(self._per_minute / _MINUTE, self._per_minute, now)
        return bucket.take(now) == 0
