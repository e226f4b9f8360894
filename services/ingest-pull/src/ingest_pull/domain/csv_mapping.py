"""What the columns of somebody's CSV mean, as a mapping file says it. docs/channels/csv.md explains each word."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingest_pull.domain.asterisk_cdr import RowUnreadable
from ingest_pull.domain.local_times import read_epoch, read_local_time

EPOCH = "unix"
# The usual spellings, tried in this order; another is named in the file.
USUAL_TIMES = (
    *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M"),
    *("%Y/%m/%d %H:%M", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y%m%d%H%M%S"),
)
_MAX_SECONDS = 86_400
_ID_LENGTH = 200  # of `Name` in the contracts

Column = Annotated[str, Field(min_length=1)]


class MappingWrong(Exception):
    """The first line of a file has not the columns that the mapping names."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CallColumns(_Strict):
    """Columns of an export of calls."""

    caller: Column
    started_at: Column
    id: Column | None = None
    caller_name: Column | None = None
    callee: Column | None = None
    ended_at: Column | None = None
    seconds: Column | None = None
    outcome: Column | None = None


class MessageColumns(_Strict):
    """Columns of an export of messages, e.g. forms that people filled in. `text` may be several, in this order."""

    sender: Column
    text: Column | list[Column]
    id: Column | None = None
    conversation: Column | None = None
    sender_name: Column | None = None
    subject: Column | None = None
    sent_at: Column | None = None

    @property
    def texts(self) -> Sequence[str]:
        return [self.text] if isinstance(self.text, str) else self.text


class _Form(_Strict):
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    time: str | None = Field(default=None, description="strptime form, or unix; default: the usual spellings")


class CallMapping(_Form):
    """`kind: call`. A call without a column `outcome` is answered when it has talking time."""

    kind: Literal["call"]
    columns: CallColumns
    answered: frozenset[str] = Field(default=frozenset(), description="Values of `outcome` that mean: somebody talked")
    ignored: frozenset[str] = Field(default=frozenset(), description="Values of `outcome` of rows to pass over")

    @model_validator(mode="after")
    def _can_tell_what_was_answered(self) -> Self:
        if self.columns.outcome is not None and not self.answered:
            raise ValueError(
                "`outcome` is mapped, so say under `answered` which of its values mean that somebody talked"
            )
        if self.columns.outcome is None and self.columns.seconds is None:
            raise ValueError("map `outcome` or `seconds`, or every call would count as missed")
        return self


class MessageMapping(_Form):
    """`kind: message`."""

    kind: Literal["message"]
    columns: MessageColumns


class MappedRow:
    """One row, by the names of its columns."""

    def __init__(self, header: Sequence[str], values: Sequence[str]) -> None:
        """:raises RowUnreadable: the row has not the columns of its header."""
        if len(values) != len(header):
            raise RowUnreadable(f"has {len(values)} columns, its header {len(header)}")
        self._values = dict(zip((name.strip() for name in header), (value.strip() for value in values), strict=True))
        self._line = "\0".join(values)

    def get(self, column: str | None) -> str:
        """:raises RowUnreadable: the file has no such column."""
        if column is None:
            return ""
        if column not in self._values:
            raise RowUnreadable(f"the file has no column {column!r}; it has {', '.join(self._values)}")
        return self._values[column]

    def identifier(self, column: str | None) -> str:
        """Return what names the row; without a column for it, a hash of all it says: the same row is the same."""
        named = self.get(column)
        if column is not None and not 1 <= len(named) <= _ID_LENGTH:
            raise RowUnreadable(f"the column {column!r} is empty or longer than {_ID_LENGTH} characters")
        return named or sha256(self._line.encode()).hexdigest()

    def time(self, column: str | None, form: str | None, zone: ZoneInfo) -> datetime | None:
        """:raises RowUnreadable: something stands there, and it is no time."""
        text = self.get(column)
        if not text:
            return None
        found = read_epoch(text) if form == EPOCH else read_usual_time(text, (form,) if form else USUAL_TIMES, zone)
        if found is None:
            expected = form or "one of the usual spellings: set `time` in the mapping"
            raise RowUnreadable(f"the column {column!r} is no time; expected {expected}")
        return found

    def seconds(self, column: str | None) -> int:
        """Read `75`, `1:15` or `0:01:15`.

        :raises RowUnreadable:
        """
        text = self.get(column)
        parts = text.split(":") if text else ["0"]
        if len(parts) > 3 or not all(part.isascii() and part.isdigit() and len(part) < 7 for part in parts):
            raise RowUnreadable(f"the column {column!r} is no length in seconds or h:mm:ss")
        total = 0
        for part in parts:
            total = total * 60 + int(part)
        return min(total, _MAX_SECONDS)


def read_usual_time(text: str, forms: Sequence[str], zone: ZoneInfo) -> datetime | None:
    return next((found for form in forms if (found := read_local_time(text, form, zone))), None)


def missing_columns(mapping: CallMapping | MessageMapping, header: Sequence[str]) -> list[str]:
    """Return the columns that the mapping names and the file has not."""
    named: Mapping[str, str | list[str]] = mapping.columns.model_dump(exclude_none=True)
    flat = [name for value in named.values() for name in (value if isinstance(value, list) else [value])]
    present = {name.strip() for name in header}
    return [name for name in flat if name not in present]
