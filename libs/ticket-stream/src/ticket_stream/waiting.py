"""Waiting for what is away: visibly, without an end, and without a log line per attempt."""

import asyncio
from collections.abc import Callable

import structlog

from ticket_stream.failure_classes import FailureClass, classify, describe
from ticket_stream.topic_admin import TopicMissing

log = structlog.get_logger("ticket_stream")

_RETRY_SECONDS = 0.3  # Kafka and Postgres take seconds to come back; a third of one more is not noticed
_COMPLAIN_SECONDS = 10.0  # a line per attempt would bury the first one


class Waiting:
    """What a stream waits for now, if anything; part of its readiness."""

    def __init__(self, consumer: str, monotonic: Callable[[], float]) -> None:
        self._consumer = consumer
        self._monotonic = monotonic
        self._next_complaint = 0.0
        self.reason: str | None = "not started yet"

    def over(self) -> None:
        """Everything answers again."""
        self.reason = None

    async def out(self, error: Exception) -> None:
        """Wait a moment if the cause comes back by itself; anything else is a bug or a refusal, and is raised."""
        if not isinstance(error, TopicMissing) and classify(error) is not FailureClass.AGAIN:
            raise error
        await self.a_moment(describe(error))

    async def a_moment(self, reason: str) -> None:
        now = self._monotonic()
        if reason != self.reason or now > self._next_complaint:
            log.warning("waiting", consumer=self._consumer, reason=reason)
            self._next_complaint = now + _COMPLAIN_SECONDS
        self.reason = reason
        await asyncio.sleep(_RETRY_SECONDS)
