"""Holds each source to the rate that the sources file gives it, in this process."""

from collections.abc import Callable
from math import ceil

from ingest_webhook.rejections import Outcome, Rejected
from ingest_webhook.sources import RateLimit, Source
from ticket_intake.token_bucket import TokenBucket


class SourceRates:
    """Counts what is genuine only: a forged request must not use up its victim's share."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[RateLimit, TokenBucket]] = {}

    def check(self, source: Source) -> None:
        """Count one request.

        :raises Rejected: the source is over its rate; the sender is told when to come again.
        """
        limit = source.rate
        if limit is None:
            return
        now = self._monotonic()
        known = self._buckets.get(source.name)
        if known is None or known[0] != limit:  # new, or changed in the file
            known = self._buckets[source.name] = (limit, TokenBucket(limit.per_second, limit.burst, now))
        wait = known[1].take(now)
        if wait:
            raise _too_many(source, wait)


def _too_many(source: Source, wait: float) -> Rejected:
    return Rejected(
        Outcome.TOO_MANY,
        503 if source.gives_up_on_4xx else 429,
        "Too many requests",
        "This source sends more than its limit allows.",
        headers=(("retry-after", str(ceil(wait))),),
    )
