"""Kind `connect-records`: Amazon Connect's contact records, as Firehose writes them into a bucket (or a folder)."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import from_url
from pydantic import Field

from ingest_pull.call_messages import CallMessages, NoVoicemails, SwitchOptions
from ingest_pull.compose_outgoing import Composer, PullSource
from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.call_so_far import CallSoFar
from ingest_pull.domain.connect_recordings import RecordingOptions, left_of
from ingest_pull.domain.connect_records import read_content, read_record, split_records
from ingest_pull.kinds.parts import JobParts, OptionWrong
from ingest_pull.pull_metrics import PullMetrics
from ticket_intake.source_checks import Attempt, failed, not_tried, passed
from ticket_stream.leased_jobs import Turn

if TYPE_CHECKING:  # obstore has this name for type checkers only
    from obstore.store import ObjectStore

KIND = "connect-records"
LARGEST_OBJECT = 128 * 1024 * 1024  # Firehose's own largest buffer, which it counts before it compresses
# Firehose names objects by time, and several may be written at once: names older than this are not looked for any more.
_LATE = timedelta(hours=2)
# Records read in a row before others have their turn: a lease that is not renewed meanwhile is lost with the object.
_AT_ONCE = 100

_LOOKED_AT = 50  # objects of a first page, when somebody wants to know whether the source works
_TRY_SECONDS = 30.0  # then it counts as away, though the client would go on trying for minutes
_NO_RECORDS = "let `url` be the prefix under which Firehose writes contact records, and nothing but those"

log = structlog.get_logger("objects")


class ObjectsAway(OSError):
    """The bucket or folder does not answer."""


class ConnectOptions(SwitchOptions):
    url: str = Field(
        pattern=r"^(s3|gs|az|file)://", description="Bucket and prefix. Credentials come from the cloud's own variables"
    )
    settle_seconds: float = Field(default=60.0, ge=0, le=3600)
    recordings: RecordingOptions = Field(
        default=RecordingOptions(),
        description="Which recordings are files of the ticket; they want `files` of the source",
    )
    poll_seconds: float = Field(default=30.0, gt=0, le=3600)


class _Position(NamedTuple):
    """`after`: names up to it are done; `done`: names behind it that are done too, with the time of each object."""

    after: str
    done: dict[str, str]
    pending: dict[str, CallSoFar]

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> "_Position":
        calls = (CallSoFar.model_validate(call) for call in cursor.get("pending", ()))
        return cls(cursor.get("after", ""), dict(cursor.get("done", {})), {call.call_id: call for call in calls})

    def as_cursor(self) -> dict[str, Any]:
        waiting = [call.model_dump(mode="json", exclude_defaults=True) for call in self.pending.values()]
        return {"after": self.after, "done": self.done, "pending": waiting}

    def without_old(self) -> "_Position":
        """Forget names that are so old, by the newest, that no other will appear before them."""
        if not self.done:
            return self
        limit = max(map(datetime.fromisoformat, self.done.values())) - _LATE
        after, done = self.after, dict(self.done)
        for name in sorted(done):
            if datetime.fromisoformat(done[name]) >= limit:
                break
            after = name
            del done[name]
        return self._replace(after=after, done=done)


class ConnectRecords:
    """One prefix."""

    def __init__(
        self,
        source: PullSource,
        options: ConnectOptions,
        store: "ObjectStore",
        composer: Composer,
        metrics: PullMetrics,
        *,
        fetches_files: bool,
    ) -> None:
        self.name = f"{KIND}/{source.name}"
        self.interval_seconds = options.poll_seconds
        self._source = source
        self._store = store
        self._recordings = options.recordings
        left = partial(left_of, options=options.recordings, fetches_files=fetches_files)
        self._calls = CallMessages(options, "Amazon Connect", NoVoicemails(), left)
        self._composer = composer
        self._metrics = metrics

    async def run(self, turn: Turn) -> None:
        position = _Position.of(turn.cursor)
        new = [item async for item in self._list(position.after) if item[0] not in position.done]
        waiting = sum(size for _, _, size in new)
        for name, modified, size in sorted(new):
            turn.behind(waiting)
            waiting -= size
            await self._read(name, size, position.pending)
            position.done[name] = modified.isoformat()
            position = position.without_old()
            await self._hand_over(turn, position)
        turn.behind(0)
        await self._hand_over(turn, position, only_messages=True)

    async def try_out(self, _: str | None) -> AsyncIterator[Attempt]:
        """Read one object, for who wants to know whether the source works. No cursor moves."""
        try:
            async with asyncio.timeout(_TRY_SECONDS):
                attempt = await self._try()
        except (ObjectsAway, TimeoutError) as error:
            answer = str(error) or f"nothing within {_TRY_SECONDS:.0f} s"
            advice = "check `url` and the credentials in the cloud's own variables: they must allow to list and to read"
            attempt = failed("list objects, read one", answer, advice)
        yield attempt

    async def _try(self) -> Attempt:
        first = await self._first_page()
        if not first:
            advice = "nothing is there yet: correct `url`, or wait for Firehose's first object"
            return not_tried("list objects, read one", advice)
        name, _modified, size = max(first, key=itemgetter(1, 0))
        what = f"read {name}, the newest of the first {len(first)}"
        if size > LARGEST_OBJECT:
            return failed(what, f"{size} bytes", _NO_RECORDS)
        records, refused = await asyncio.to_thread(_tried, await self._content(name), self._composer.now())
        told = f"records: {records}"
        return failed(what, f"{told}; refused: {refused}", _NO_RECORDS) if refused else passed(what, told)

    async def _first_page(self) -> list[tuple[str, datetime, int]]:
        found = []
        async with aclosing(self._list("")) as listed:
            async for item in listed:
                found.append(item)
                if len(found) == _LOOKED_AT:
                    break
        return found

    async def _hand_over(self, turn: Turn, position: _Position, *, only_messages: bool = False) -> None:
        messages = await self._calls.finished(position.pending, self._composer.now())
        if messages or not only_messages:
            await turn.hand_over(position.as_cursor(), await self._composer.compose(self._source, messages))

    async def _list(self, after: str) -> AsyncGenerator[tuple[str, datetime, int], None]:
        try:
            async for chunk in obstore.list(self._store, offset=after or None):
                for item in chunk:
                    yield item["path"], item["last_modified"], item["size"]
        except (BaseError, OSError) as error:
            raise ObjectsAway(f"objects cannot be listed: {type(error).__name__}") from error

    async def _read(self, name: str, size: int, pending: dict[str, CallSoFar]) -> None:
        if size > LARGEST_OBJECT:
            self._tell_unreadable(name, f"has {size} bytes, more than any file of contact records")
            return
        content = await self._content(name)
        try:
            text = await asyncio.to_thread(read_content, content, LARGEST_OBJECT)
            for number, document in enumerate(split_records(text)):
                self._add(name, document, pending)
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        except RowUnreadable as error:
            self._tell_unreadable(name, str(error))

    async def _content(self, name: str) -> bytes:
        try:
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except (BaseError, OSError) as error:
            raise ObjectsAway(f"{name} cannot be read: {type(error).__name__}") from error

    def _add(self, name: str, document: object, pending: dict[str, CallSoFar]) -> None:
        try:
            leg = read_record(document, self._composer.now(), self._recordings.voicemail_attribute)
        except RowUnreadable as error:
            self._tell_unreadable(name, str(error))
            return
        if leg is not None:
            known = pending.pop(leg.call_id, None)
            pending[leg.call_id] = leg if known is None else _joined(known, leg)

    def _tell_unreadable(self, name: str, reason: str) -> None:
        self._metrics.unreadable(self._source.name)
        log.warning("a record cannot be read", source=self._source.name, object=name, reason=reason)


def _tried(content: bytes, now: datetime) -> tuple[int, str]:
    """How many records there are, and what is wrong with the first that is none; empty: nothing is."""
    records, refused = 0, ""
    try:
        for number, document in enumerate(split_records(read_content(content, LARGEST_OBJECT)), start=1):
            try:
                read_record(document, now)
            except RowUnreadable as error:
                refused = refused or f"record {number} {error}"
            else:
                records += 1
    except RowUnreadable as error:
        refused = refused or str(error)
    return records, refused


def _joined(known: CallSoFar, leg: CallSoFar) -> CallSoFar:
    """The last contact of a call says whether another follows."""
    last = max(known, leg, key=lambda part: part.started_at)
    return known.with_leg(leg).model_copy(update={"is_open": last.is_open})


def build(parts: JobParts) -> ConnectRecords:
    options = ConnectOptions.model_validate(parts.options)
    source = parts.source(options.time_trusted)
    try:
        store = from_url(options.url)
    except (BaseError, ValueError) as error:
        reason = str(error).partition("\n")[0]  # what follows is written for who debugs the library
        raise OptionWrong(
            f"options.url: {reason}; write s3://bucket/prefix, or file:/// and a folder that is there"
        ) from error
    return ConnectRecords(source, options, store, parts.composer, parts.metrics, fetches_files=parts.fetches_files)
