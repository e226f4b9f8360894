"""Agents of a fault run: they reply, note and move tickets over the API, and ask again until they know the outcome."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from uuid import UUID

import asyncpg
import httpx

from tests.support.chat_platform import ChatPlatform
from tests.support.ledger import InputKind, Ledger, SentCommand
from tests.support.persistence import ANSWER_SECONDS, pauses
from tests.support.stack import Stack
from ticket_stream.held_connection import SESSION_ERRORS

SOLVED = {"type": "set-status", "status": "solved"}
MOVES = ({"type": "set-status", "status": "pending"}, {"type": "set-status", "status": "open"}, SOLVED)
WORDS = ("reply", "reply", "note")

# A ticket in which all that the customer said has arrived. What came later would reopen it once it is solved, and
# start another clock, of which the judge of alarms knows nothing.
_COMPLETE = """
SELECT ticket_id FROM inbound_messages JOIN messages USING (ticket_id)
WHERE provider_id = $1 AND author_kind = 'customer' AND entry ->> 'kind' = 'created'
GROUP BY ticket_id HAVING count(*) = $2
"""


@dataclass
class Agents:
    """Everybody who answers; a ticket is in one agent's hands at a time."""

    stack: Stack
    ledger: Ledger
    random: Random
    name: str
    platform: ChatPlatform
    _working: set[str] = field(default_factory=set)

    async def do_something(self, client: httpx.AsyncClient, number: int) -> None:
        """One command on one ticket, if there is a ticket to work on."""
        free = [name for name in self.ledger.finished if name not in self._working]
        if not free:
            return
        conversation = self.random.choice(free)
        self._working.add(conversation)
        try:
            ticket_id = await self._ticket_of(conversation)
            if ticket_id is not None:
                await self._command(client, number, ticket_id, conversation)
        finally:
            self._working.discard(conversation)

    async def _command(self, client: httpx.AsyncClient, number: int, ticket_id: UUID, conversation: str) -> None:
        mark = f"{self.name} agent {number}"
        body = self.random.choice((*({"type": word, "text": mark} for word in WORDS), *MOVES))
        if body is SOLVED:
            self.ledger.finished.remove(conversation)
        sent = self.ledger.command(f"{self.name}-{number}", ticket_id, body["type"], body.get("text", ""))
        steps = [partial(self._insist, client, sent, body)]
        if sent.type == "reply" and self.ledger.said_in(conversation)[0].kind is InputKind.BATCHED:
            body["provider_id"] = sent.provider_id = f"wamid.{sent.key}"
            steps.append(partial(self.platform.tell_receipts, client, sent.provider_id, conversation, ticket_id))
        for step in self.random.sample(steps, len(steps)):  # a receipt may come before its answer is recorded
            await step()

    async def _insist(self, client: httpx.AsyncClient, sent: SentCommand, body: dict[str, str]) -> None:
        for pause in pauses():
            sent.attempts += 1
            with suppress(httpx.TransportError):  # nobody listens, or no answer: unknown
                await self._ask(client, sent, body)
            if sent.outcome is not None:
                return
            await asyncio.sleep(pause)

    async def _ask(self, client: httpx.AsyncClient, sent: SentCommand, body: dict[str, str]) -> None:
        """Ask once, always with the same Idempotency-Key; note the outcome when the answer tells it."""
        headers = {"authorization": f"Bearer {self.stack.api_key}", "idempotency-key": sent.key}
        url = f"{self.stack.api}/tickets/{sent.ticket_id}/commands"
        response = await client.post(url, json=body, headers=headers)
        answer = response.json()
        if response.status_code == 200:
            sent.command_id, sent.outcome = UUID(answer["command_id"]), answer["outcome"]
        elif response.status_code in (409, 412):
            sent.outcome = answer["type"].rsplit("-", 1)[-1]  # /problems/command-rejected, /problems/version-conflict
        else:
            assert response.status_code in (202, 503), f"command {sent.key}: {response.status_code} {answer}"

    async def _ticket_of(self, conversation: str) -> UUID | None:
        said = self.ledger.said_in(conversation)
        try:
            connection = await asyncpg.connect(self.stack.database, timeout=ANSWER_SECONDS)
        except SESSION_ERRORS:
            return None
        try:
            found: UUID | None = await connection.fetchval(_COMPLETE, said[0].provider_id, len(said))
        except SESSION_ERRORS:  # the server was killed in the middle of it
            return None
        finally:
            connection.terminate()
        return found
