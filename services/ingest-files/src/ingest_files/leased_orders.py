"""Rows of `file_fetches` as a process holds them: taken under a lease that is renewed while they are worked on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from ticket_contracts.messages import MessageReceived, RemoteFile
from ticket_store.sessions import Pool
from ticket_store.tables import file_fetches

FETCH, SCAN = "fetch", "scan"
# Until a row that cannot be read is looked at again, by a release that may know how.
_UNREADABLE_PAUSE = timedelta(hours=1)

log = structlog.get_logger("files")


@dataclass(frozen=True, slots=True)
class Order:
    """A file to be fetched, or all files of a message to be scanned; `attempt` counts from 1."""

    identity: bytes
    number: int
    source: str
    work: str
    message: MessageReceived
    files: tuple[RemoteFile, ...]
    correlation_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class LeasedOrders:
    """Who dies with an order loses it when `lease` is over; what was done twice is one by its identity."""

    pool: Pool
    lease: timedelta

    async def take(self, full: Sequence[str]) -> Order | None:
        """Take what is due for longest, but of none of the `full` sources. A row that cannot be read is put off."""
        async with self.pool.acquire() as connection:
            while row := await connection.fetchrow(file_fetches.TAKE, self.lease, full):
                try:
                    return _read(row)
                except ValueError:  # one of another release; the others must not wait for it
                    log.exception("an order cannot be read", source=row["source"], identity=row["identity"].hex())
                attempts: int = row["attempts"]
                held = (row["identity"], row["number"], attempts)
                await connection.execute(file_fetches.PUT_OFF, *held, _UNREADABLE_PAUSE, attempts - 1)
        return None

    async def renew(self, orders: Sequence[Order]) -> None:
        columns = zip(*((order.identity, order.number, order.attempt) for order in orders), strict=True)
        async with self.pool.acquire() as connection:
            await connection.execute(file_fetches.RENEW, *map(list, columns), self.lease)

    async def put_off(self, order: Order, pause: timedelta, attempts: int) -> None:
        """Give it back until the pause is over; `attempts` is how many count."""
        row = (order.identity, order.number, order.attempt)
        async with self.pool.acquire() as connection:
            await connection.execute(file_fetches.PUT_OFF, *row, pause, attempts)

    async def remove(self, order: Order) -> None:
        async with self.pool.acquire() as connection:
            await connection.execute(file_fetches.REMOVE, order.identity, order.number)

    async def waiting(self) -> dict[str, int]:
        """Return how many orders there are, of all processes, by kind of work."""
        async with self.pool.acquire() as connection:
            rows = await connection.fetch(file_fetches.WAITING)
        found = {SCAN if row["scans"] else FETCH: row["orders"] for row in rows}
        return {FETCH: 0, SCAN: 0} | found


def _read(row: Mapping[str, Any]) -> Order:
    written = json.loads(row["file"])
    scans = isinstance(written, list)
    files = tuple(RemoteFile.model_validate(each) for each in (written if scans else [written]))
    return Order(
        row["identity"],
        row["number"],
        row["source"],
        SCAN if scans else FETCH,
        MessageReceived.model_validate_json(row["message"]),
        files,
        row["correlation_id"],
        row["attempts"],
    )
