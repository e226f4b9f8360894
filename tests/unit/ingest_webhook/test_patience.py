"""Many publications share one timer; each is given up after its own time."""

import asyncio
import weakref

import pytest

from ingest_webhook.patience import Patience
from ticket_stream.edge_publisher import KafkaAway


def limited(patience: Patience) -> "asyncio.Future[None]":
    acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    patience.limit(acknowledged)
    return acknowledged


async def test_what_takes_too_long_is_given_up_and_what_is_done_stays_so() -> None:
    patience = Patience(0.01)
    slow, quick, gone, later = (limited(patience) for _ in range(4))
    quick.set_result(None)
    gone.cancel()
    for each in (slow, later):
        with pytest.raises(KafkaAway):
            await each
    assert quick.result() is None
    assert gone.cancelled()
    with pytest.raises(KafkaAway):  # the timer starts anew after all have ended
        await limited(patience)


async def test_what_is_done_is_not_remembered() -> None:
    patience = Patience(60)
    done = limited(patience)
    done.set_result(None)
    remembered = weakref.ref(done)
    del done
    limited(patience)
    assert remembered() is None


async def test_a_failure_before_is_that_failure() -> None:
    patience = Patience(0.01)
    failed = limited(patience)
    failed.set_exception(KeyError())
    with pytest.raises(KafkaAway):
        await limited(patience)
    with pytest.raises(KeyError):
        await failed
