"""The relay that fault tests put before PostgreSQL does to a COMMIT what it says, and is invisible otherwise."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.support.commit_cutter import CommitCutter, Cut, open_commit_cutter, through


@pytest.fixture
async def cutter(database_url: str) -> AsyncIterator[CommitCutter]:
    async with open_commit_cutter(urlsplit(database_url).port or 5432) as cutter:
        yield cutter


async def commit_a_row(cutter: CommitCutter, database_url: str, word: str) -> None:
    connection = await asyncpg.connect(through(cutter.port, database_url))
    try:
        async with connection.transaction():
            await connection.execute("CREATE TABLE IF NOT EXISTS note (word text)")
            await connection.execute("INSERT INTO note VALUES ($1)", word)
    finally:
        connection.terminate()


async def rows(database_url: str) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return [row["word"] for row in await connection.fetch("SELECT word FROM note")]
    finally:
        await connection.close()


async def test_without_an_order_everything_passes(cutter: CommitCutter, database_url: str) -> None:
    await commit_a_row(cutter, database_url, "passed")
    assert await rows(database_url) == ["passed"]
    assert not cutter.done


@pytest.mark.parametrize(("cut", "kept"), [(Cut.ANSWER_LOST, ["first", "second"]), (Cut.COMMIT_LOST, ["first"])])
async def test_the_client_cannot_know_and_the_server_does_as_the_cut_says(
    cutter: CommitCutter, database_url: str, cut: Cut, kept: list[str]
) -> None:
    await commit_a_row(cutter, database_url, "first")
    cutter.cut_next(cut)
    with pytest.raises((OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)):
        await asyncio.wait_for(commit_a_row(cutter, database_url, "second"), 10)
    assert cutter.done == {cut: 1}
    assert await rows(database_url) == kept
