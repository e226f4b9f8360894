"""A file that is read again: when asked, when it or a secret changes, and until what it lacks is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ticket_intake.reloaded_file import ReloadedFile
from ticket_intake.source_file import SourcesInvalid

DEADLINE_SECONDS = 10


@dataclass
class Reading:
    text: str
    files: tuple[Path, ...]


@dataclass
class Reader:
    """Reads a file that names another; `counts` are the results, `adopted` the readings."""

    file: Path
    counts: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    meanwhile: list[str] = field(default_factory=list)
    """What somebody else writes into the secret's file just after it was read."""

    def read(self) -> Reading:
        secret = Path(self.file.read_text())
        if secret.name == "odd":
            raise ZeroDivisionError("a secret")
        if not secret.exists():
            raise SourcesInvalid([f"no {secret.name}"])
        reading = Reading(secret.read_text(), (self.file, secret))
        if self.meanwhile:
            secret.write_text(self.meanwhile.pop())
        return reading

    async def until(self, *counts: str) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while tuple(self.counts) != counts:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0)


@asynccontextmanager
async def watched(folder: Path, look_seconds: float) -> AsyncIterator[tuple[Reader, ReloadedFile[Reading]]]:
    (folder / "secret").write_text("first")
    reader = Reader(folder / "file")
    reader.file.write_text(str(folder / "secret"))
    file: ReloadedFile[Reading] = ReloadedFile(reader.read, reader.counts.append)
    watching = asyncio.create_task(file.watch(lambda reading: reader.adopted.append(reading.text), look_seconds))
    yield reader, file
    watching.cancel()


async def test_a_changed_secret_is_adopted_and_an_unchanged_file_is_not_read(tmp_path: Path) -> None:
    async with watched(tmp_path, 0.001) as (reader, file):
        await asyncio.sleep(0)
        (tmp_path / "secret").write_text("the second")
        await reader.until("done")
        assert (file.current.text, reader.adopted) == ("the second", ["the second"])


async def test_a_refused_file_is_tried_until_what_it_lacks_is_there_and_told_once(tmp_path: Path) -> None:
    async with watched(tmp_path, 0.001) as (reader, file):
        reader.file.write_text(str(tmp_path / "absent"))
        await reader.until("refused")
        assert file.current.text == "first"
        (tmp_path / "absent").write_text("there")
        await reader.until("refused", "done")
        assert file.current.text == "there"


async def test_who_asks_is_told_each_time(tmp_path: Path) -> None:
    async with watched(tmp_path, 3600) as (reader, file):
        reader.file.write_text(str(tmp_path / "absent"))
        file.ask_reload()
        await reader.until("refused")
        file.ask_reload()
        await reader.until("refused", "refused")
        reader.file.write_text(str(tmp_path / "secret"))
        file.ask_reload()
        await reader.until("refused", "refused", "done")


async def test_what_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    async with watched(tmp_path, 0.001) as (reader, file):
        reader.meanwhile.append("the third one")
        (tmp_path / "secret").write_text("the second")
        await reader.until("done", "done")
        assert reader.adopted == ["the second", "the third one"]
        assert file.current.text == "the third one"


async def test_a_defect_of_the_reading_stops_nothing_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with watched(tmp_path, 0.001) as (reader, file):
        reader.file.write_text(str(tmp_path / "odd"))
        await reader.until("refused")
        reader.file.write_text(str(tmp_path / "secret"))
        await reader.until("refused", "done")
        assert file.current.text == "first"
    told = capsys.readouterr()
    assert "ZeroDivisionError" in told.out + told.err
    assert "a secret" not in told.out + told.err
