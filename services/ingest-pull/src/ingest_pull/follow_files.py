"""The job of every source that is files: read on, put together what belongs together, hand over, move the cursor."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog

from ingest_pull.compose_outgoing import Composer, PullSource
from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.call_so_far import CallSoFar
from ingest_pull.domain.line_text import read_text
from ingest_pull.followed_folder import FollowedFolder, Page
from ingest_pull.line_reader import LineReader, Pending, TextLine
from ingest_pull.place_in_file import Place
from ingest_pull.pull_metrics import PullMetrics
from ingest_pull.try_files import try_files
from ticket_intake.incoming import IncomingMessage
from ticket_intake.source_checks import Attempt
from ticket_stream.leased_jobs import Cursor, Turn

MOST_LOGGED = 10  # unreadable lines of one page; a whole file of them is one fault

log = structlog.get_logger("files")


class FollowFiles:
    """One source's job; its name is that of kind and source, so that a renamed source begins anew."""

    def __init__(
        self,
        kind: str,
        source: PullSource,
        folder: FollowedFolder,
        reader: LineReader,
        encoding: str,
        interval_seconds: float,
        composer: Composer,
        metrics: PullMetrics,
    ) -> None:
        self.name = f"{kind}/{source.name}"
        self.interval_seconds = interval_seconds
        self._source = source
        self._folder = folder
        self._reader = reader
        self._encoding = encoding
        self._composer = composer
        self._metrics = metrics

    async def run(self, turn: Turn) -> None:
        known, pending = _read_cursor(turn.cursor)
        waiting = await asyncio.to_thread(self._folder.look, known)
        places = [item.place for item in waiting]
        for number, item in enumerate(waiting):
            while (page := await self._read(places[number])).place != places[number]:
                places[number] = page.place
                messages = self._understand(page, pending)
                await self._hand_over(turn, places, pending, [*messages, *await self._reader.finish(pending)])
                unread = sum(other.bytes for other in waiting[number:])
                turn.behind(unread - (page.place.offset - item.place.offset))
        finished = await self._reader.finish(pending)
        if finished or _cursor(places, pending)["files"] != turn.cursor.get("files"):
            await self._hand_over(turn, places, pending, finished)
        turn.behind(0)

    async def try_out(self, _: str | None) -> AsyncIterator[Attempt]:
        """Look at the newest file, for who wants to know whether the source works. No cursor moves."""
        yield await try_files(self._folder, self._reader, self._encoding, self._composer.now)

    async def _read(self, place: Place) -> Page:
        return await asyncio.to_thread(self._folder.read, place, self._composer.now().timestamp())

    async def _hand_over(
        self, turn: Turn, places: Sequence[Place], pending: Pending, messages: Sequence[IncomingMessage]
    ) -> None:
        await turn.hand_over(_cursor(places, pending), await self._composer.compose(self._source, messages))

    def _understand(self, page: Page, pending: Pending) -> list[IncomingMessage]:
        header = read_text(page.header, self._encoding)
        messages, unreadable = [], 0
        for line in page.lines:
            text = read_text(line.content, self._encoding)
            try:
                message = self._reader.read(TextLine(text, header if line.number else ""), pending)
            except RowUnreadable as error:
                unreadable += 1
                self._tell_unreadable(page.place.name, line.number, error, logged=unreadable <= MOST_LOGGED)
                continue
            if message is not None:
                messages.append(message)
        return messages

    def _tell_unreadable(self, file: str, offset: int, error: RowUnreadable, *, logged: bool) -> None:
        self._metrics.unreadable(self._source.name)
        if logged:
            log.warning("a line cannot be read", source=self._source.name, file=file, offset=offset, reason=str(error))


def _cursor(places: Sequence[Place], pending: Pending) -> dict[str, Any]:
    return {
        "files": [place.as_json() for place in places],
        "pending": [call.model_dump(mode="json", exclude_defaults=True) for call in pending.values()],
    }


def _read_cursor(cursor: Cursor) -> tuple[list[Place] | None, Pending]:
    if not cursor:
        return None, {}
    calls = [CallSoFar.model_validate(call) for call in cursor["pending"]]
    return [Place.from_json(place) for place in cursor["files"]], {call.call_id: call for call in calls}
