import asyncio
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest

from crm_api import plan_turns
from crm_api.authenticate import Caller
from crm_api.configuration_routes import post_plan
from crm_api.configuration_views import PlanRequest
from crm_api.parts import Parts
from crm_api.plan_turns import MOST_PLANS, PlanTurns
from service_kit.problems import ProblemError


async def test_plans_are_made_one_after_another_and_too_many_are_refused() -> None:
    turns, running, most = PlanTurns(), 0, 0

    async def make() -> None:
        nonlocal running, most
        async with turns.taken():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    plans = [asyncio.create_task(make()) for _ in range(MOST_PLANS)]
    await asyncio.sleep(0)
    with pytest.raises(ProblemError) as refused:
        await make()
    await asyncio.gather(*plans)

    assert (most, refused.value.problem.status, refused.value.headers) == (1, 503, {"Retry-After": "2"})


async def test_who_goes_away_while_waiting_gives_its_place_back() -> None:
    turns = PlanTurns()
    async with turns.taken():
        for _ in range(MOST_PLANS + 1):
            waiting = asyncio.create_task(turns.taken().__aenter__())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    async with turns.taken():
        pass


async def test_the_api_waits_for_its_turn_before_it_takes_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_turns, "MOST_PLANS", 0)
    no_connections = cast(Parts, SimpleNamespace(plan_turns=PlanTurns()))
    with pytest.raises(ProblemError, match="503"):
        await post_plan(PlanRequest(documents=[]), Caller(UUID(int=1), "x", None, frozenset()), no_connections)
