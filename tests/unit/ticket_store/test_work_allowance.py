import asyncio

from ticket_store.work_allowance import PORTION_SECONDS, WorkAllowance


async def test_others_go_on_between_portions_and_the_allowance_ends() -> None:
    now = 0.0
    others: list[object] = []
    allowance = WorkAllowance(5 * PORTION_SECONDS, lambda: now)
    lasted = []
    for step in range(4):
        asyncio.get_running_loop().call_soon(others.append, step)
        now += 2 * PORTION_SECONDS
        lasted.append(await allowance.lasts())
        assert others == list(range(step + 1))

    assert lasted == [True, True, False, False]


async def test_a_small_portion_makes_no_pause_and_waiting_is_no_work() -> None:
    now = 0.0
    others: list[object] = []
    allowance = WorkAllowance(PORTION_SECONDS, lambda: now)
    asyncio.get_running_loop().call_soon(others.append, "")
    now += PORTION_SECONDS / 2
    assert await allowance.lasts()
    now += 60
    allowance.resume()
    assert await allowance.lasts()
    assert not others
