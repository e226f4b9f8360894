"""Kinds `asterisk-cdr` and `asterisk-queue-log`: an Asterisk's own logs, followed as they grow."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from ingest_pull.call_messages import CallMessages, NoVoicemails, SwitchOptions
from ingest_pull.domain.asterisk_cdr import NAMES, RowFormat, read_row
from ingest_pull.domain.queue_log import add_event, read_event
from ingest_pull.follow_files import FollowFiles
from ingest_pull.followed_folder import FollowedFolder
from ingest_pull.kinds.file_options import FileOptions
from ingest_pull.kinds.parts import JobParts
from ingest_pull.line_reader import Pending, TextLine
from ingest_pull.voicemail_files import VoicemailFolder
from ticket_intake.incoming import IncomingMessage
from ticket_stream.leased_jobs import Job

CDR, QUEUE_LOG = "asterisk-cdr", "asterisk-queue-log"
_SYSTEM = "Asterisk"


def _known_columns(columns: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [name for name in columns if name and name not in NAMES]:
        raise ValueError(
            f"knows no column {', '.join(unknown)}; write '' for one to skip. Known: {', '.join(sorted(NAMES))}"
        )
    if columns and "start" not in columns:
        raise ValueError("needs a column `start`")
    return columns


class CdrOptions(FileOptions, SwitchOptions):
    files: str = Field(default="Master.csv", min_length=1)
    columns: Annotated[tuple[str, ...], AfterValidator(_known_columns)] = Field(
        default=(), description="Order of the columns, for cdr_custom; default: that of cdr_csv, told by their number"
    )
    voicemail_folder: Path | None = Field(
        default=None, description="e.g. /var/spool/asterisk/voicemail: recordings come with the message"
    )


class QueueLogOptions(FileOptions, SwitchOptions):
    files: str = Field(default="queue_log", min_length=1)


class CdrReader:
    """Rows of `Master.csv`."""

    has_header = False

    def __init__(self, form: RowFormat, calls: CallMessages, now: Callable[[], datetime]) -> None:
        self._form = form
        self._calls = calls
        self._now = now

    def read(self, line: TextLine, pending: Pending) -> None:
        leg = read_row(line.text, self._form, self._now())
        known = pending.pop(leg.call_id, None)
        pending[leg.call_id] = leg if known is None else known.with_leg(leg)

    async def finish(self, pending: Pending) -> list[IncomingMessage]:
        return await self._calls.finished(pending, self._now())


class QueueLogReader:
    """Lines of `queue_log`."""

    has_header = False

    def __init__(self, calls: CallMessages, now: Callable[[], datetime]) -> None:
        self._calls = calls
        self._now = now

    def read(self, line: TextLine, pending: Pending) -> None:
        event = read_event(line.text)
        if event is None:
            return
        known = add_event(pending.get(event.call_id), event, self._now())
        if known is not None:
            pending.pop(event.call_id, None)
            pending[event.call_id] = known

    async def finish(self, pending: Pending) -> list[IncomingMessage]:
        return await self._calls.finished(pending, self._now())


def build_cdr(parts: JobParts) -> Job:
    options = CdrOptions.model_validate(parts.options)
    voicemails = VoicemailFolder(options.voicemail_folder) if options.voicemail_folder else NoVoicemails()
    calls = CallMessages(options, _SYSTEM, voicemails)
    reader = CdrReader(RowFormat(options.columns, options.zone), calls, parts.composer.now)
    return _follow(CDR, options, reader, parts, options.time_trusted)


def build_queue_log(parts: JobParts) -> Job:
    options = QueueLogOptions.model_validate(parts.options)
    reader = QueueLogReader(CallMessages(options, _SYSTEM, NoVoicemails()), parts.composer.now)
    return _follow(QUEUE_LOG, options, reader, parts, options.time_trusted)


def _follow(
    kind: str, options: FileOptions, reader: CdrReader | QueueLogReader, parts: JobParts, time_trusted: bool
) -> Job:
    return FollowFiles(
        kind,
        parts.source(time_trusted),
        FollowedFolder(options.folder, options.files, options.begin),
        reader,
        options.encoding,
        options.poll_seconds,
        parts.composer,
        parts.metrics,
    )
