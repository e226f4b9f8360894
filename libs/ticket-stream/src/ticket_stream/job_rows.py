"""Where each job stands: every statement on `stream_jobs` but the lease functions.

The *revision* is the only fence: a take-over and every move of the cursor raise it, a renewal does not.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, TypeAlias

from ticket_stream.job_functions import JOB_CHANNEL
from ticket_stream.processing import Connection

Cursor: TypeAlias = Mapping[str, Any]
"""How far a job has read, in its own words; must be JSON. Empty before the first move."""

_LEASE = "SELECT stream_job_lease($1, $2, $3, $4)"
_LEAVE = "SELECT stream_job_leave($1, $2)"

_REGAIN = """
UPDATE stream_jobs SET revision = revision + 1, lease_until = clock_timestamp() + $4
WHERE consumer = $1 AND name = $2 AND owner = $3
RETURNING revision, cursor
"""

_MOVE = """
UPDATE stream_jobs
SET revision = revision + 1, lease_until = clock_timestamp() + $6, cursor = $5, moved_at = clock_timestamp()
WHERE consumer = $1 AND name = $2 AND owner = $3 AND revision = $4
RETURNING revision
"""

_RELEASE = """
UPDATE stream_jobs SET owner = NULL, lease_until = clock_timestamp()
WHERE consumer = $1 AND owner = $2 AND name = ANY ($3)
"""

_NOTE = """
UPDATE stream_jobs SET last_error = $4, failed_at = CASE WHEN $4::text IS NULL THEN NULL ELSE clock_timestamp() END
WHERE consumer = $1 AND name = $2 AND owner = $3
"""

_NOTIFY = "SELECT pg_notify($1, $2)"


class JobKey(NamedTuple):
    """A job of one process: nothing is ever written to a job that `owner` does not hold."""

    consumer: str
    name: str
    owner: str


class Standing(NamedTuple):
    """What the table says about a job that was just regained."""

    revision: int
    cursor: Cursor


class JobLost(Exception):
    """The job has another owner, or another revision than we knew: whoever holds it reads the cursor again."""


async def lease(connection: Connection, consumer: str, owner: str, span: timedelta, names: Sequence[str]) -> set[str]:
    """Renew, give back what others lack, take what is free up to the fair share, and above it what nobody takes.

    Return the jobs that this owner has.
    """
    return set(await connection.fetchval(_LEASE, consumer, owner, span, list(names)))


async def leave(connection: Connection, consumer: str, owner: str) -> None:
    await connection.execute(_LEAVE, consumer, owner)


async def release(connection: Connection, consumer: str, owner: str, names: Sequence[str]) -> None:
    """Give these jobs up, their cursors kept: whoever still names them need not wait for the leases to expire."""
    await connection.execute(_RELEASE, consumer, owner, list(names))
    await connection.execute(_NOTIFY, JOB_CHANNEL, consumer)


async def regain(connection: Connection, key: JobKey, span: timedelta) -> Standing:
    """Read the cursor under a new revision, after any move that is still under way.

    :raises JobLost:
    """
    row = await connection.fetchrow(_REGAIN, key.consumer, key.name, key.owner, span)
    if row is None:
        raise JobLost(key.name)
    return Standing(row["revision"], json.loads(row["cursor"] or "{}"))


async def move(connection: Connection, key: JobKey, standing: Standing, cursor: Cursor, span: timedelta) -> Standing:
    """Move the cursor if nobody else did meanwhile.

    :raises JobLost:
    """
    text = json.dumps(cursor, ensure_ascii=False)
    revision = await connection.fetchval(_MOVE, *key, standing.revision, text, span)
    if revision is None:
        raise JobLost(key.name)
    return Standing(revision, cursor)


async def note(connection: Connection, key: JobKey, error: str | None) -> None:
    """Keep the last error beside the cursor, for whoever asks why a job stands still; None: it is over."""
    if error is not None:  # in a source's own words, of which Postgres takes neither NUL nor half characters
        error = error.replace("\0", "").encode(errors="backslashreplace").decode()
    await connection.execute(_NOTE, key.consumer, key.name, key.owner, error)


class Wake(NamedTuple):
    """A reason to run a job now, and what it may need to know for that: some bytes that any session may hear."""

    consumer: str
    job: str
    hint: str


async def wake_job(connection: Connection, consumer: str, job: str, hint: str = "") -> None:
    """Tell whichever process has the job. A job that nobody has now is not told, and runs at its interval."""
    await connection.execute(_NOTIFY, JOB_CHANNEL, json.dumps(Wake(consumer, job, hint)._asdict()))


def read_wake(payload: str) -> Wake | None:
    """Read a notification; None when it says only that jobs changed hands."""
    return Wake(**json.loads(payload)) if payload.startswith("{") else None
