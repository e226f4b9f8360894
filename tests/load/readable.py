"""How long until a ticket can be read: single messages among a load, each followed until the API shows its ticket.

Asking the API again and again for tickets that are not there yet would be a load of its own. So one cheap statement
for all probes watches PostgreSQL every few milliseconds, and then one GET shows that the API agrees; its answer ends
the measurement.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.http_load import HttpSender, SignedRequests, connect
from tests.support.deployment_files import SHOP, SHOP_SECRET
from tests.support.stack import Stack
from ticket_contracts.vocabulary import MessageKind
from ticket_intake.identity import message_identity

LOOK_SECONDS = 0.004  # what a probe's duration is too long by at most
WAIT_SECONDS = 20.0

_READY = """
SELECT i.identity, i.ticket_id FROM inbound_messages AS i JOIN tickets AS t USING (ticket_id)
WHERE i.identity = ANY($1::bytea[])
"""
# Statistics lag behind tables that grow so fast; a scan of them would be part of what is measured.
_POINT_LOOK_UPS = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


class LatencyProbe:
    """Made by `open`."""

    RATE = 50.0  # probes a second

    def __init__(self, stack: Stack, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._stack = stack
        self._connection = connection
        self._waiting: dict[bytes, asyncio.Future[UUID]] = {}
        self._answers: dict[HttpSender, asyncio.Future[int]] = {}
        self._idle: dict[int, list[HttpSender]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, stack: Stack) -> AsyncIterator["LatencyProbe"]:
        connection = await asyncpg.connect(stack.database, server_settings=_POINT_LOOK_UPS)
        probe = cls(stack, connection)
        looking = asyncio.create_task(probe._look())
        try:
            yield probe
        finally:
            looking.cancel()
            await asyncio.wait({looking})
            await connection.close()
            for sender in (sender for several in probe._idle.values() for sender in several):
                sender.close()

    async def run(self, seconds: float) -> list[float]:
        """Send probes at their rate for so long and return the duration of each in seconds."""
        port = self._stack.layout.port("ingest-webhook")
        requests = SignedRequests(LOOPBACK, port, f"/webhooks/{SHOP}", SHOP_SECRET)
        began, tasks = time.perf_counter(), []
        for number in range(int(self.RATE * seconds)):
            await asyncio.sleep(began + number / self.RATE - time.perf_counter())
            tasks.append(asyncio.create_task(self._follow(*requests.next_request(), port)))
        return list(await asyncio.gather(*tasks))

    async def _follow(self, provider_id: str, request: bytes, port: int) -> float:
        identity = bytes.fromhex(message_identity(SHOP, provider_id, MessageKind.CREATED, ""))
        ready = self._waiting[identity] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        assert await self._ask(port, request) == 200, "the probe was refused"
        async with asyncio.timeout(WAIT_SECONDS):
            ticket = await ready
        api = self._stack.layout.port("crm-api")
        get = f"GET /v1/tickets/{ticket} HTTP/1.1\r\nhost: {LOOPBACK}:{api}\r\n"
        authorization = f"authorization: Bearer {self._stack.api_key.strip()}\r\n\r\n"
        assert await self._ask(api, (get + authorization).encode()) == 200, "stored, but not readable in the API"
        return time.perf_counter() - began

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._waiting:
                for identity, ticket in await self._connection.fetch(_READY, list(self._waiting)):
                    self._waiting.pop(identity).set_result(ticket)

    async def _ask(self, port: int, request: bytes) -> int:
        idle = self._idle.setdefault(port, [])
        sender = idle.pop() if idle else await connect(LOOPBACK, port, self._received)
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[sender] = answer
        sender.send(request)
        status = await answer
        idle.append(sender)
        return status

    def _received(self, sender: HttpSender, status: int, _: bytes) -> None:
        self._answers.pop(sender).set_result(status)
