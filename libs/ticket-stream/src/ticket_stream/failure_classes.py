"""What the runtime does about an exception that a batch ended with (architecture §3, Failures).

`AGAIN`: the surroundings are at fault, the same batch will do later. `BISECT`: one record is at fault and becomes a
dead letter. `PAUSE`: the code, or the assumption of one writer, is at fault; more work would only make it worse.
"""

from collections.abc import Collection
from enum import Enum

import asyncpg
from pydantic import ValidationError

from ticket_contracts.envelope import NotAnEvent
from ticket_stream.failures import PoisonRecord, UnknownType


class FailureClass(Enum):
    AGAIN = "again"
    BISECT = "bisect"
    PAUSE = "pause"


OWN_TABLES = frozenset(
    {
        "outbox",
        "dead_letters",
        "stream_generation",
        "stream_topics",
        "stream_jobs",
        "stream_members",
        "stream_positions",
        "stream_seen",
        "stream_timers",
        "stream_pauses",
        "stream_refusals",
    }
)
"""A violated key in one of these is a second writer or a bug, never a bad record."""

# SQLSTATE classes: connection, invalid transaction state, rollback, resources, operator intervention.
_AGAIN_CLASSES = frozenset({"08", "25", "40", "53", "57"})
_LOCK_NOT_AVAILABLE = "55P03"
_STATEMENT_TOOK_TOO_LONG = "57014"
# SQLSTATE classes: data, integrity constraint, program limit.
_BISECT_CLASSES = frozenset({"22", "23", "54"})
_INTEGRITY = "23"
_DATA = "22"
_LONGEST = 1_000  # characters of a description; a record's attributes may be as long as the record


def classify(error: BaseException, guarded_tables: Collection[str] = ()) -> FailureClass:
    """Sort an exception by what to do about it; what is not listed is a bug and pauses."""
    if isinstance(error, asyncpg.PostgresError):
        return _classify_state(error, guarded_tables)
    if isinstance(error, asyncpg.InternalClientError):
        return FailureClass.AGAIN  # the driver lost track of a session that was ended under it; seen after a freeze
    if isinstance(error, asyncpg.InterfaceError):
        # The driver's own DataError (a value that does not fit its parameter) is an InterfaceError and a ValueError.
        return FailureClass.BISECT if isinstance(error, ValueError) else FailureClass.AGAIN
    if isinstance(error, PoisonRecord | NotAnEvent | ValidationError):
        return FailureClass.BISECT
    if isinstance(error, UnknownType):
        return FailureClass.PAUSE
    if isinstance(error, OSError):  # includes TimeoutError
        return FailureClass.AGAIN
    return FailureClass.PAUSE


def _classify_state(error: asyncpg.PostgresError, guarded_tables: Collection[str]) -> FailureClass:
    state = error.sqlstate or ""
    if state == _STATEMENT_TOOK_TOO_LONG:
        return FailureClass.BISECT
    if state[:2] in _AGAIN_CLASSES or state == _LOCK_NOT_AVAILABLE:
        return FailureClass.AGAIN
    if isinstance(error, asyncpg.InvalidCachedStatementError):  # 0A000 after a migration
        return FailureClass.AGAIN
    if state[:2] == _INTEGRITY and (error.table_name in OWN_TABLES or error.table_name in guarded_tables):
        return FailureClass.PAUSE
    return FailureClass.BISECT if state[:2] in _BISECT_CLASSES else FailureClass.PAUSE


def describe(error: BaseException) -> str:
    """Short text for logs and tables, free of NUL. An error of the database does not show the values it was given."""
    return printable(_describe(error))


def printable(text: str) -> str:
    """What somebody else's words may have made, so that every log and every table takes it."""
    return text[:_LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _describe(error: BaseException) -> str:
    if isinstance(error, asyncpg.PostgresError):
        where = " ".join(filter(None, (error.table_name, error.column_name, error.constraint_name)))
        message = error.message or ""
        if (error.sqlstate or "").startswith(_DATA):
            message = message.split(": ")[0]  # invalid input syntax for type uuid: "somebody's words"
        return f"{type(error).__name__} {error.sqlstate}: {message} {where}".rstrip()
    if isinstance(error, asyncpg.DataError | asyncpg.InterfaceError):
        return f"{type(error).__name__}: {str(error).split(': ')[0]}"  # ... for query argument $1: 'somebody's words'
    if isinstance(error, ValidationError):
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:5])
        return f"{error.title}: {faults}"
    return f"{type(error).__name__}: {error}"
