"""Trying again as providers do: the same message, until it is acknowledged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from random import Random

import httpx

from tests.support.ledger import SentMessage

ANSWER_SECONDS = 8.0  # what a sender waits for an answer; above the edges' own bounds of 2.5 to 5 s
# Seconds between two attempts; each failure in a row doubles the pause. Providers wait longer, which would only make a
# run longer; without the doubling the load itself would be the fault after an outage of seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.4, 4.0
REPEATED_SHARE = 0.15  # of acknowledged requests that come once more: a provider that lost our answer

Attempt = Callable[[], Awaitable[int]]
"""Sends once and returns the status: 2xx is an acknowledgement, 5xx a temporary refusal, as in HTTP."""


async def insist(sent: Sequence[SentMessage], attempt: Attempt) -> None:
    """Return when the request with these messages is acknowledged once more.

    :raises AssertionError: it is refused for good, which nothing in a fault run explains.
    """
    for pause in pauses():
        for message in sent:
            message.attempts += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status = await attempt()
        except (httpx.TransportError, OSError):  # nobody listens, or the connection ended: no answer, so unknown
            status = 0
        if 200 <= status < 300:
            for message in sent:
                message.acknowledged += 1
            return
        assert not 300 <= status < 500, f"{sent[0].kind} {sent[0].provider_id} is refused with {status}"
        await asyncio.sleep(pause)


def times_brought(random: Random) -> int:
    """Return how often a provider brings a request until it knows of the acknowledgement."""
    return 2 if random.random() < REPEATED_SHARE else 1


def pauses() -> Iterator[float]:
    """Yield how long to wait after each failure, without end."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(2 * pause, LONGEST_PAUSE)
