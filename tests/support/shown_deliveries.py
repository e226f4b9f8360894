"""What crm-api shows became of agents' answers."""

from collections import defaultdict
from collections.abc import Mapping

import httpx

from tests.support.ledger import Ledger
from tests.support.stack import Stack

MOST_ENTRIES = 200  # of a page; no conversation of a fault run is as long


async def read_shown(stack: Stack, ledger: Ledger) -> Mapping[str, list[str | None]]:
    """Return the states shown, by the channel's id of the answer: one where all is right, None where none is shown."""
    shown: defaultdict[str, list[str | None]] = defaultdict(list)
    headers = {"authorization": f"Bearer {stack.api_key}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=20) as client:
        for ticket_id in {answer.ticket_id for answer in ledger.recorded_answers}:
            response = await client.get(f"{stack.api}/tickets/{ticket_id}/messages?limit={MOST_ENTRIES}")
            for entry in response.raise_for_status().json()["items"]:
                if entry["provider_id"] and entry["kind"] == "created" and entry["author"]["kind"] == "agent":
                    shown[entry["provider_id"]].append(entry["delivery"] and entry["delivery"]["state"])
    return shown
