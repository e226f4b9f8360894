"""Many waits share one timer; each behaves as `asyncio.timeout` does."""

import asyncio

import pytest

from ingest_webhook.patience import Patience


async def test_what_takes_too_long_ends_with_a_time_out_and_what_is_quick_does_not() -> None:
    patience, never = Patience(0.01), asyncio.Event()

    async def quick() -> str:
        with patience.wait():
            await asyncio.sleep(0)
        return "done"

    async def slow() -> None:
        with patience.wait():
            await never.wait()

    results = await asyncio.gather(slow(), quick(), slow(), return_exceptions=True)
    assert [type(result) for result in results] == [TimeoutError, str, TimeoutError]
    with pytest.raises(TimeoutError):  # the timer starts anew after all have ended
        await slow()


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    patience, entered = Patience(60), asyncio.Event()

    async def waiting() -> None:
        with patience.wait():
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_failure_inside_is_that_failure_and_the_wait_is_forgotten() -> None:
    patience, never = Patience(0.01), asyncio.Event()
    with pytest.raises(KeyError), patience.wait():
        raise KeyError
    with pytest.raises(TimeoutError), patience.wait():  # interrupted once: what ended before is not told
        await never.wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
