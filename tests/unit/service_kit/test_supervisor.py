import asyncio

import pytest
import structlog

from service_kit.hung_tasks import describe_pending
from service_kit.supervisor import Supervisor


async def forever() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise RuntimeError("broken")


async def ends() -> None:
    pass


async def test_a_task_that_fails_asks_for_the_stop_and_is_named() -> None:
    supervisor = Supervisor()
    async with supervisor.running("consumer", fails()):
        await supervisor.stopping.wait()
    assert supervisor.failure is not None
    assert (supervisor.failure.task, str(supervisor.failure.error)) == ("consumer", "broken")
    assert supervisor.stop_reason == "consumer failed"


async def test_a_failure_is_logged_once_with_its_stack_trace() -> None:
    with structlog.testing.capture_logs() as logged:
        supervisor = Supervisor()
        async with supervisor.running("consumer", fails()):
            await supervisor.stopping.wait()
    assert [(entry["part"], str(entry["exc_info"])) for entry in logged] == [("consumer", "broken")]


async def test_a_task_that_simply_ends_is_a_failure_too() -> None:
    supervisor = Supervisor()
    async with supervisor.running("consumer", ends()):
        await supervisor.stopping.wait()
    assert supervisor.failure is not None
    assert "has to run until the stop" in supervisor.failure.reason


async def test_a_task_that_something_else_cancels_is_a_failure_too() -> None:
    supervisor = Supervisor()
    async with supervisor.running("consumer", forever()) as task:
        task.cancel()
        await supervisor.stopping.wait()
    assert supervisor.failure is not None
    assert supervisor.failure.reason == "was cancelled from outside"


async def test_leaving_the_block_cancels_the_task_and_is_no_failure() -> None:
    supervisor = Supervisor()
    async with supervisor.running("consumer", forever()) as task:
        pass
    assert task.cancelled()
    assert supervisor.failure is None
    assert not supervisor.stopping.is_set()


async def test_a_task_with_a_stop_of_its_own_is_waited_for_and_not_cancelled() -> None:
    supervisor, asked, finished = Supervisor(), asyncio.Event(), []

    async def finish_what_is_in_hand() -> None:
        await asked.wait()
        await asyncio.sleep(0)
        finished.append("batch")

    async with supervisor.running("consumer", finish_what_is_in_hand(), stop=asked.set) as task:
        pass
    assert finished == ["batch"]
    assert not task.cancelled()
    assert supervisor.failure is None


async def test_tasks_stop_in_the_reverse_order_of_their_start() -> None:
    stopped = []

    async def part(name: str) -> None:
        try:
            await forever()
        finally:
            stopped.append(name)

    supervisor = Supervisor()
    async with supervisor.running("first", part("first")), supervisor.running("second", part("second")):
        await asyncio.sleep(0)
    assert stopped == ["second", "first"]


async def test_a_task_that_fails_while_it_is_stopped_fails_the_process() -> None:
    async def breaks_at_the_end() -> None:
        try:
            await forever()
        finally:
            raise OSError("not flushed")

    supervisor = Supervisor()
    async with supervisor.running("writer", breaks_at_the_end()):
        await asyncio.sleep(0)
    assert supervisor.failure is not None
    assert supervisor.failure.reason == "failed while it was stopped"


async def test_the_first_failure_is_kept_because_the_others_follow_from_it() -> None:
    supervisor = Supervisor()
    supervisor.fail("database", "gone")
    supervisor.fail("consumer", "no database")
    assert supervisor.failure is not None
    assert supervisor.failure.task == "database"


async def test_a_cancelled_stop_does_not_leave_the_task_behind() -> None:
    supervisor = Supervisor()
    entered = asyncio.Event()

    async def never_stops_when_asked() -> None:
        async with supervisor.running("deaf", forever(), stop=entered.set) as task:
            tasks.append(task)

    tasks: list[asyncio.Task[object]] = []
    stopping = asyncio.create_task(never_stops_when_asked())
    await entered.wait()
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    await asyncio.wait(tasks)
    assert tasks[0].cancelled()


async def test_what_a_task_waits_for_is_named_down_to_the_innermost_await() -> None:
    supervisor = Supervisor()
    async with supervisor.running("consumer", forever()):
        await asyncio.sleep(0)
        waits = describe_pending(asyncio.get_running_loop())["tasks"]["consumer"]
    assert [place.rsplit(" ", 1)[1] for place in waits] == ["forever", "Event.wait"]
