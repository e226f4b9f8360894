"""What an agent does over the REST API, for tests: each step waits for what the agent would wait for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

PATIENCE = 20.0
"""Seconds until something that should show up counts as lost; usual is well below one."""

LOOK_AGAIN = 0.05  # seconds between two looks

Json = dict[str, Any]
Found = TypeVar("Found")


class AgentDesk:
    """One API client that may read and write."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **query: Any) -> Json:
        """Read, and fail the test on anything but 200."""
        response = await self.client.get(path, params=query)
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    async def tickets(self, **query: Any) -> list[Json]:
        """List tickets."""
        items: list[Json] = (await self.get("/tickets", **query))["items"]
        return items

    async def find_ticket(self, subject: str) -> Json:
        """Wait until the one ticket of this subject is there."""

        async def look() -> Json | None:
            found = [ticket for ticket in await self.tickets(limit=200) if ticket["subject"] == subject]
            assert len(found) <= 1, f"{len(found)} tickets of one conversation"
            return found[0] if found else None

        return await wait_for(look, f"a ticket with the subject {subject!r}")

    async def ticket_when(self, ticket_id: str, holds: Callable[[Json], bool], what: str) -> Json:
        """Wait until something holds for a ticket."""

        async def look() -> Json | None:
            ticket = await self.get(f"/tickets/{ticket_id}")
            return ticket if holds(ticket) else None

        return await wait_for(look, what)

    async def messages(self, ticket_id: str) -> list[Json]:
        """Read the conversation."""
        items: list[Json] = (await self.get(f"/tickets/{ticket_id}/messages"))["items"]
        return items

    async def conversation_of(self, ticket_id: str, length: int) -> list[Json]:
        """Wait until the conversation has this many entries."""

        async def look() -> list[Json] | None:
            entries = await self.messages(ticket_id)
            return entries if len(entries) >= length else None

        return await wait_for(look, f"{length} messages")

    async def timeline(self, ticket_id: str) -> list[Json]:
        """Read all facts."""
        items: list[Json] = (await self.get(f"/tickets/{ticket_id}/timeline", limit=200))["items"]
        return items

    async def relations(self, ticket_id: str) -> list[tuple[str, str]]:
        """Read what other tickets are to this one."""
        items = (await self.get(f"/tickets/{ticket_id}/links"))["items"]
        return [(item["other_id"], item["relation"]) for item in items]

    async def clock(self, ticket_id: str, metric: str, language: str = "en") -> Json:
        """Read one clock with its story."""
        response = await self.client.get(f"/tickets/{ticket_id}/sla", headers={"Accept-Language": language})
        assert response.status_code == 200, response.text
        found = [clock for clock in response.json()["clocks"] if clock["metric"] == metric]
        assert len(found) == 1, response.text
        clock: Json = found[0]
        return clock

    async def ask(self, ticket_id: str, command: Json, **headers: str) -> httpx.Response:
        """Send one command."""
        return await self.client.post(f"/tickets/{ticket_id}/commands", json=command, headers=headers)

    async def apply(self, ticket_id: str, command: Json) -> Json:
        """Send one command that must be applied; return the ticket afterwards."""
        response = await self.ask(ticket_id, command)
        assert response.status_code == 200, response.text
        assert response.json()["outcome"] == "applied", response.text
        return await self.get(f"/tickets/{ticket_id}")


async def wait_for(look: Callable[[], Awaitable[Found | None]], what: str) -> Found:
    """Look again until there is something, for at most `PATIENCE`."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while (found := await look()) is None:
        assert asyncio.get_running_loop().time() < deadline, f"not seen within {PATIENCE} s: {what}"
        await asyncio.sleep(LOOK_AGAIN)
    return found
