"""A job run by hand, without leases: what it hands over, and the cursor that it left."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from uuid_utils import uuid7

from ingest_pull.compose_outgoing import Composer
from ingest_pull.kinds.parts import JobParts, Shared
from ingest_pull.kinds.registry import KINDS
from ingest_pull.pull_metrics import PullMetrics
from ingest_pull.pull_sources import read_pull_sources
from ticket_contracts.messages import MessageReceived, StoredObject
from ticket_stream.leased_jobs import Cursor, Job, Outgoing

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


class Desk:
    """Stands in for the runner: a turn's four words, with the cursor as JSON in between."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self.client = client or httpx.AsyncClient(trust_env=False)
        self.now = NOW
        self.stored: dict[str, bytes] = {}
        self.registry = CollectorRegistry()
        self.messages: list[MessageReceived] = []
        self.moves = 0
        self.keys: list[str] = []
        self.lag = 0.0
        self.hints: list[str] = []
        self.fetches_files = False
        self._metrics = PullMetrics(self.registry)
        self._cursor = "{}"

    @property
    def composer(self) -> Composer:
        return Composer(self._store, lambda: str(uuid7()), lambda: self.now)

    @property
    def shared(self) -> Shared:
        return Shared(self.composer, self._metrics, self.client)

    def build(
        self,
        kind: str,
        secrets: Sequence[str] = (),
        tokens: Sequence[str] = (),
        **options: Any,
    ) -> Job:
        parts = JobParts("desk", "acme", "main", options, secrets, tokens, self.shared, self.fetches_files)
        return KINDS[kind](parts)

    def run(self, job: Job) -> list[MessageReceived]:
        """Run once and return what was handed over in this run."""
        before = len(self.messages)
        asyncio.run(job.run(self))  # type: ignore[arg-type]  # has all that a job uses of a turn
        return self.messages[before:]

    async def listen(self, job: Job) -> None:
        """Run a job that ends with its connection only."""
        await job.run(self)  # type: ignore[arg-type]  # has all that a job uses of a turn

    @property
    def cursor(self) -> Cursor:
        read: Cursor = json.loads(self._cursor)
        return read

    def set_cursor(self, cursor: Cursor) -> None:
        self._cursor = json.dumps(cursor)

    async def hand_over(self, cursor: Cursor, messages: Sequence[Outgoing] = ()) -> None:
        self._cursor = json.dumps(cursor)
        self.moves += 1
        self.messages += [MessageReceived.model_validate_json(message.event.data) for message in messages]
        self.keys += [message.key for message in messages]

    def behind(self, amount: float) -> None:
        self.lag = amount

    def take_hints(self) -> list[str]:
        hints, self.hints = self.hints, []
        return hints

    def unreadable(self) -> float:
        return self.registry.get_sample_value("firebreak_pull_unreadable_total", {"source": "desk"}) or 0

    async def _store(self, content: bytes, media_type: str) -> StoredObject:
        key = f"sha256/{len(self.stored):064x}"
        self.stored[key] = content
        return StoredObject(key=key, size=len(content), media_type=media_type)


def jobs_of(file: Path, environment: Mapping[str, str]) -> list[Job]:
    """Build the jobs of a sources file, as the service does at its start."""
    return list(read_pull_sources(file, environment, Desk().shared).jobs.values())
