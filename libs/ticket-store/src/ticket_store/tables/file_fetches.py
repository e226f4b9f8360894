"""Files that a provider keeps and we have yet to fetch, and files that we keep and have yet to scan.

Writer: router adds, ingest-files takes and removes.
"""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from ticket_store.tables.metadata import METADATA

FILE_FETCHES = Table(
    "file_fetches",
    METADATA,
    Column("identity", LargeBinary(32), primary_key=True),  # of the message
    Column("number", Integer, primary_key=True),  # of the file in it, or of the first of those to be scanned
    Column("source", Text, nullable=False),
    Column("message", JSONB, nullable=False),  # MessageReceived without words and files: what the result repeats
    Column("file", JSONB, nullable=False),  # a RemoteFile to be fetched, or a list of all of a message to be scanned
    Column("correlation_id", Text, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", DateTime(timezone=True), nullable=False),  # the next attempt, or the end of a lease
    Index(None, "not_before"),
)

ADD = """
INSERT INTO file_fetches (identity, number, source, message, file, correlation_id, not_before)
SELECT identity, number, source, message, file, correlation_id, clock_timestamp()
FROM unnest($1::bytea[], $2::integer[], $3::text[], $4::jsonb[], $5::jsonb[], $6::text[])
    AS row (identity, number, source, message, file, correlation_id)
ON CONFLICT (identity, number) DO NOTHING
"""

TAKE = """
UPDATE file_fetches AS f SET attempts = f.attempts + 1, not_before = clock_timestamp() + $1::interval
FROM (
    SELECT identity, number FROM file_fetches WHERE not_before <= statement_timestamp() AND source <> ALL($2::text[])
    ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED
) AS due
WHERE f.identity = due.identity AND f.number = due.number
RETURNING f.identity, f.number, f.source, f.message, f.file, f.correlation_id, f.attempts
"""
"""Whoever takes a row has it for $1; who dies with it loses it after that, and what was done twice is one.

$2 are sources of which enough is in hand. What is due is measured by a clock that stands still for the statement: by
one that moves, the index would be read to its end each time that nothing is due (100,000 rows: 19 ms, not 0.03).
"""

RENEW = """
UPDATE file_fetches AS f SET not_before = clock_timestamp() + $4::interval
FROM unnest($1::bytea[], $2::integer[], $3::integer[]) AS held (identity, number, attempts)
WHERE f.identity = held.identity AND f.number = held.number AND f.attempts = held.attempts
"""
"""Not of a row that somebody else took meanwhile: its count of attempts is another."""

PUT_OFF = """
UPDATE file_fetches SET not_before = clock_timestamp() + $4::interval, attempts = $5
WHERE identity = $1 AND number = $2 AND attempts = $3
"""

REMOVE = """
DELETE FROM file_fetches WHERE identity = $1 AND number = $2
"""

WAITING = """
SELECT jsonb_typeof(file) = 'array' AS scans, count(*) AS orders FROM file_fetches GROUP BY 1
"""
