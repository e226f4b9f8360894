"""Kind `csv`: any export in a folder, its columns named by a mapping file."""

import csv
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import structlog
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from ingest_pull.call_messages import CallMessages, NoVoicemails, SwitchOptions
from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.call_so_far import CallSoFar
from ingest_pull.domain.csv_mapping import CallMapping, MappedRow, MappingWrong, MessageMapping, missing_columns
from ingest_pull.follow_files import FollowFiles
from ingest_pull.followed_folder import Begin, FollowedFolder
from ingest_pull.kinds.file_options import FileOptions
from ingest_pull.kinds.parts import JobParts
from ingest_pull.line_reader import Pending, TextLine
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.phone_calls import caller_person, spelled
from ticket_intake.phone_numbers import is_number
from ticket_intake.source_file import SourcesInvalid, explain, read_document
from ticket_stream.leased_jobs import Job

CSV = "csv"
# A file that was copied in one go may end without a line break; one that is still being written is not touched so long.
LEFT_ALONE_SECONDS = 5.0
SUBJECT_LENGTH, NAME_LENGTH, ID_LENGTH = 120, 200, 200

Mapping: TypeAlias = CallMapping | MessageMapping
_MAPPING: TypeAdapter[Mapping] = TypeAdapter(Annotated[Mapping, Field(discriminator="kind")])

log = structlog.get_logger("files")


def _read_mapping(path: object) -> Mapping:
    """Read and check the mapping file, whose path the options give."""
    place = Path(str(path))
    try:
        document = read_document(place, "the option `mapping`")
    except SourcesInvalid as error:
        raise ValueError(str(error)) from error
    try:
        return _MAPPING.validate_python(document)
    except ValidationError as error:
        raise ValueError(f"{place}: {'; '.join(explain(error, ''))}; see docs/channels/csv.md") from error


class CsvOptions(FileOptions, SwitchOptions):
    files: str = Field(default="*.csv", min_length=1)
    begin: Begin = "start"  # a folder of exports holds what is to be read
    settle_seconds: float = 0.0  # a row is a whole call
    mapping: Annotated[CallMapping | MessageMapping, BeforeValidator(_read_mapping)] = Field(
        description="Path of the YAML file that names the columns"
    )
    channel: Channel = Field(default=Channel.WEB, description="of messages; calls are always of `phone`")


class CsvReader:
    """Rows by their header, which each file states in its first line."""

    has_header = True

    def __init__(self, options: CsvOptions, calls: CallMessages, now: Callable[[], datetime]) -> None:
        self._options = options
        self._calls = calls
        self._now = now

    def read(self, line: TextLine, pending: Pending) -> IncomingMessage | None:
        mapping = self._options.mapping
        if not line.header:
            self._check_header(_values(line.text, mapping.delimiter))
            return None
        row = MappedRow(_values(line.header, mapping.delimiter), _values(line.text, mapping.delimiter))
        if isinstance(mapping, MessageMapping):
            return self._message(row, mapping)
        call = self._call(row, mapping)
        if call is not None:
            known = pending.get(call.call_id)
            pending[call.call_id] = call if known is None else known.with_leg(call)
        return None

    async def finish(self, pending: Pending) -> list[IncomingMessage]:
        return await self._calls.finished(pending, self._now())

    def _check_header(self, header: Sequence[str]) -> None:
        """A file that does not fit its mapping is not passed over: the job fails, visibly, until one of them does."""
        if missing := missing_columns(self._options.mapping, header):
            raise MappingWrong(f"no column {', '.join(map(repr, missing))} in the file; it has {', '.join(header)}")

    def _call(self, row: MappedRow, mapping: CallMapping) -> CallSoFar | None:
        columns, zone = mapping.columns, self._options.zone
        outcome = row.get(columns.outcome)
        if columns.outcome is not None and outcome in mapping.ignored:
            return None
        started_at = row.time(columns.started_at, mapping.time, zone)
        if started_at is None:
            raise RowUnreadable(f"the column {columns.started_at!r} is empty")
        seconds = row.seconds(columns.seconds)
        answered = outcome in mapping.answered if columns.outcome is not None else seconds > 0
        return CallSoFar(
            call_id=row.identifier(columns.id),
            caller=row.get(columns.caller),
            caller_name=row.get(columns.caller_name),
            callee=row.get(columns.callee),
            started_at=started_at,
            ended_at=row.time(columns.ended_at, mapping.time, zone) or started_at + timedelta(seconds=seconds),
            answered=answered,
            seconds=seconds if answered else 0,
            cause="" if answered else outcome,
            seen_at=self._now(),
        )

    def _message(self, row: MappedRow, mapping: MessageMapping) -> IncomingMessage:
        columns = mapping.columns
        provider_id = row.identifier(columns.id)
        text = "\n".join(filter(None, map(row.get, columns.texts)))
        return IncomingMessage(
            kind=MessageKind.CREATED,
            channel=self._options.channel,
            provider_id=provider_id,
            conversation=(row.get(columns.conversation) or provider_id)[:ID_LENGTH],
            sender=self._person(row, columns.sender, columns.sender_name, provider_id),
            subject=row.get(columns.subject) or one_line(text, SUBJECT_LENGTH),
            text=text,
            sent_at=row.time(columns.sent_at, mapping.time, self._options.zone),
            may_auto_answer=False,  # nobody has checked that the address in a file is its sender's
        )

    def _person(self, row: MappedRow, sender: str, sender_name: str | None, provider_id: str) -> Person:
        """Tell an address, a telephone number, and any other name for a person."""
        value, name = row.get(sender), one_line(row.get(sender_name), NAME_LENGTH)
        if "@" in value:
            return Person(kind=IdentityKind.EMAIL, value=value.lower()[:ID_LENGTH], name=name)
        number = spelled(value, self._options.region)
        if is_number(number):
            return caller_person(number, provider_id, name)
        return Person(
            kind=IdentityKind.EXTERNAL, value=value[:ID_LENGTH] or f"unnamed:{provider_id}"[:ID_LENGTH], name=name
        )


def _values(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise RowUnreadable(f"is not CSV: {error}") from error


def build(parts: JobParts) -> Job:
    options = CsvOptions.model_validate(parts.options)
    reader = CsvReader(options, CallMessages(options, "the export", NoVoicemails()), parts.composer.now)
    folder = FollowedFolder(
        options.folder, options.files, options.begin, last_line_after_seconds=LEFT_ALONE_SECONDS, quoted=True
    )
    source = parts.source(options.time_trusted)
    return FollowFiles(
        CSV, source, folder, reader, options.encoding, options.poll_seconds, parts.composer, parts.metrics
    )
