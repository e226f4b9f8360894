"""A calendar edited over the API moves a running clock in the engine, and the ticket's story says so (rule 34)."""

from datetime import datetime
from typing import Any

from tests.integration.crm_api_around import add_key, caller, running_api
from tests.integration.test_crm_api import Around
from tests.support.kept_part import wait_until
from tests.support.servers import SharedKafka
from tests.support.sla_engine import OFFICE, STANDARD, configure
from ticket_store.sessions import open_pool

PATIENCE = 60.0  # seconds; a roll-out of one ticket takes one to two
SHORTER_DAYS = {day: ["09:00-09:30"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


async def test_an_edited_calendar_moves_a_running_clock_and_the_story_says_so(
    kafka: SharedKafka, topics: str, database_url: str
) -> None:
    async with open_pool(database_url, application_name="test") as pool:
        await configure(pool, OFFICE, STANDARD)
    key = await add_key(database_url, ("read", "write", "admin"))
    async with running_api(database_url, kafka.bootstrap, topics) as address, caller(address, key) as client:
        around = Around(kafka, topics, database_url, address, client)
        async with around.engine():
            url = f"/tickets/{await around.new_ticket()}/sla"

            async def clock() -> dict[str, Any]:
                found: dict[str, Any] = (await client.get(url)).json()["clocks"][0]
                return found

            before = await clock()
            edited = await client.put("/configuration/documents/calendar/office", json={"week": SHORTER_DAYS})
            assert edited.status_code == 200, edited.text

            async def moved() -> bool:
                return bool((await clock())["due_at"] != before["due_at"])

            await wait_until(moved, PATIENCE, "the due time by the edited calendar")
            after = await clock()
    assert datetime.fromisoformat(after["due_at"]) > datetime.fromisoformat(before["due_at"])
    assert after["policy_version"] == before["policy_version"] == 1
    assert [step["transition"] for step in after["story"]] == ["started", "recalculated"]
    assert "office" in after["story"][-1]["words"]
