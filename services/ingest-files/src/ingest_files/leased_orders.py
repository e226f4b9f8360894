"""Rows of `file_fetches` as a process holds them: taken under a lease that is renewed while they are worked on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ticket_contracts.messages import RemoteFile
from ticket_store.sessions import Pool
from ticket_store.tables import file_fetches

FETCH, SCAN = "fetch", "scan"


@dataclass(frozen=True, slots=True)
class Order:
    """A file to be fetched, or all files of a message to be scanned; `attempt` counts from 1."""

    identity: bytes
    number: int
    source: str
    work: str
    message: Mapping[str, Any]
    files: tuple[RemoteFile, ...]
    correlation_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class LeasedOrders:
    """Who dies with an order loses it when `lease` is over; what was done twice is one by its identity."""

    pool: Pool
    lease: timedelta

    async def take(self, full: Sequence[str]) -> Order | None:
        """Take what is due for longest, but of none of the `full` sources."""
        async with self.pool.acquire() as connection:
            row = await connection.fetchrow(file_fetches.TAKE, self.lease, full)
        return _read(row) if row else None

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
        json.loads(row["message"]),
        files,
        row["correlation_id"],
        row["attempts"],
    )
