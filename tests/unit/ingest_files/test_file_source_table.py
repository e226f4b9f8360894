"""Tokens rotate without a restart, and a file that became invalid changes nothing but a metric."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from prometheus_client import CollectorRegistry

from ingest_files.file_source_table import FileSourceTable
from ingest_files.metrics import FileMetrics

SOURCES = "sources: [{{name: bot, provider: telegram, files: {{tokens: ['file:{token}']}}}}]"
LOOK_SECONDS = 0.01
DEADLINE_SECONDS = 10


class Table:
    """A table that is watched, its file and the file of its token."""

    def __init__(self, folder: Path) -> None:
        self.file, self.token = folder / "sources.yaml", folder / "token"
        self.token.write_text("first")
        self.file.write_text(SOURCES.format(token=self.token))
        self.registry = CollectorRegistry()
        self.table = FileSourceTable(self.file, None, {}, FileMetrics(self.registry))

    async def until_reloaded(self, result: str, times: int = 1) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self._reloads(result) != times:  # noqa: ASYNC110 - a metric has nobody who tells
                await asyncio.sleep(LOOK_SECONDS)

    def _reloads(self, result: str) -> float:
        return self.registry.get_sample_value("firebreak_sources_reloads_total", {"result": result}) or 0


@pytest_asyncio.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Table]:
    made = Table(tmp_path)
    watching = asyncio.create_task(made.table.watch(LOOK_SECONDS))
    yield made
    watching.cancel()


async def test_a_changed_token_is_in_use_without_a_restart(watched: Table) -> None:
    watched.token.write_text("second, longer")
    await watched.until_reloaded("done")
    assert watched.table["bot"].access.tokens == ("second, longer",)


async def test_a_source_that_did_not_change_keeps_its_access_tokens(watched: Table) -> None:
    before = watched.table["bot"]
    watched.file.write_text(watched.file.read_text() + "\n# a comment")
    await watched.until_reloaded("done")
    assert watched.table["bot"] is before


async def test_the_last_good_file_stays_in_use_until_the_bad_one_is_mended(watched: Table) -> None:
    watched.file.write_text("sources: [{name: bot, provider: nobody, files: {}}]")
    await watched.until_reloaded("refused")
    assert watched.table["bot"].access.tokens == ("first",)
    watched.file.write_text("sources: []")
    await watched.until_reloaded("done")
    assert watched.table.get("bot") is None


async def test_who_asks_is_read_at_once(tmp_path: Path) -> None:
    made = Table(tmp_path)
    watching = asyncio.create_task(made.table.watch(DEADLINE_SECONDS * 10))
    made.table.ask_reload()
    await made.until_reloaded("done")
    watching.cancel()
