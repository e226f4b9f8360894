"""What the tests of crm-api need around it: rows to read, keys, a database that can go away, the service itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import asyncpg
import httpx

from crm_api.settings import CrmApiSettings
from crm_api.wiring import wiring
from firebreak_cli.local_stack.ports import LOOPBACK, free_ports
from service_kit.api_keys import generate, hash_key
from service_kit.supervisor import Supervisor
from tests.unit.sla_engine.case import a_summary

NOWHERE = "127.0.0.1:1"  # a port on which nobody listens
CHUNK = 64 * 1024

_ADD_KEY = """
INSERT INTO api_keys (key_id, key_hash, name, agent, scopes, created_at) VALUES ($1, $2, 'A test', $3, $4, now())
"""
_ADD_TICKET = """
INSERT INTO tickets (ticket_id, number, version, brand, channel, contact_id, subject, status, team, tags, opened_at,
                     updated_at, state)
VALUES ($1, nextval('ticket_numbers'), 1, 'acme', 'email', $2, '水泵 leaks', 'new', 'service', '{}', now(), now(), $3)
"""


async def execute(url: str, statement: str, *arguments: object) -> None:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement, *arguments)
    finally:
        await connection.close()


async def add_key(url: str, scopes: Sequence[str] = ("read", "write"), agent: str | None = "li.wei") -> str:
    """Make an API key and return it."""
    key = generate()
    await execute(url, _ADD_KEY, uuid4(), hash_key(key), agent, list(scopes))
    return key


async def revoke(url: str, key: str) -> None:
    """Take a key back."""
    await execute(url, "UPDATE api_keys SET revoked_at = $2 WHERE key_hash = $1", hash_key(key), datetime.now(UTC))


async def add_ticket(url: str) -> UUID:
    """Put a ticket there that no engine knows the history of: enough to be read and to be asked something."""
    ticket_id = uuid4()
    await execute(url, _ADD_TICKET, ticket_id, uuid4(), f'{{"summary": {a_summary().model_dump_json()}}}')
    return ticket_id


@asynccontextmanager
async def running_api(url: str, kafka: str, prefix: str = "", **settings: object) -> AsyncIterator[str]:
    """Run the service as its process does; gives its address."""
    [port] = free_ports(1)
    named = {"port": port, "kafka": kafka, "topic_prefix": prefix, "postgres": url, **settings}
    supervisor = Supervisor()
    async with wiring(CrmApiSettings.model_validate(named), supervisor):
        yield f"http://{LOOPBACK}:{port}/v1"
    assert supervisor.failure is None


@asynccontextmanager
async def caller(address: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=30) as client:
        yield client


class Gate:
    """A relay before PostgreSQL: shut, nobody gets in and who is in is thrown out; frozen, nothing moves."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self._shut = False
        self._moving = asyncio.Event()
        self._moving.set()
        self.port = 0

    @property
    def url(self) -> str:
        """The URL of the database through the gate."""
        account = self._server.netloc.rpartition("@")[0]
        return urlunsplit(self._server._replace(netloc=f"{account}@{LOOPBACK}:{self.port}"))

    def shut(self) -> None:
        self._shut = True
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        self._moving.clear()

    def open(self) -> None:
        self._shut = False
        self._moving.set()

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        if self._shut:
            writer.transport.abort()
            return
        server_reader, server_writer = await asyncio.open_connection(self._server.hostname, self._server.port)
        self._writers |= {writer, server_writer}
        both = [self._pump(reader, server_writer), self._pump(server_reader, writer)]
        try:
            await asyncio.gather(*both)
        finally:
            for end in (writer, server_writer):
                self._writers.discard(end)
                end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(CHUNK):
                await self._moving.wait()
                target.write(chunk)
                await target.drain()
        except OSError:
            return  # cut off: by `shut`, or by the other end
        finally:
            target.close()


@asynccontextmanager
async def open_gate(url: str) -> AsyncIterator[Gate]:
    """Open a gate before the database of this URL."""
    gate = Gate(url)
    server = await asyncio.start_server(gate.relay, LOOPBACK, 0)
    gate.port = server.sockets[0].getsockname()[1]
    try:
        yield gate
    finally:
        gate.open()
        gate.shut()
        server.close()
        await server.wait_closed()
