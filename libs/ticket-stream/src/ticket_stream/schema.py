"""The runtime's own tables, shared by all consumers: each consumer writes only rows of its own partitions.

`METADATA.create_all` makes tables, functions and the first generation; ticket_store's migrations include it. Rows
that change with every batch are narrow, have room on their page (fillfactor) for updates in place, and are vacuumed by
count and not by share, because a share of a small hot table is reached many times a second or never.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ticket_stream.job_functions import JOB_LEASE_FUNCTION, JOB_LEAVE_FUNCTION
from ticket_stream.lease_function import LEASE_FUNCTION, LEAVE_FUNCTION

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""For all tables of an installation, so that migrations can refer to every constraint."""

METADATA = MetaData(naming_convention=CONSTRAINT_NAMES)

_HOT_ROWS = {
    "fillfactor": 50,
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 500,
    "autovacuum_vacuum_cost_delay": 0,
}
_HOT_QUEUE = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 10_000,
    "autovacuum_vacuum_insert_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 50_000,
    "autovacuum_vacuum_cost_delay": 0,
}
_NOW = text("clock_timestamp()")


def _time(name: str, *, nullable: bool = False, default: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=_NOW if default else None)


# The number that distinguishes events before and after a recovery; part of every event's `source`. One row.
STREAM_GENERATION = Table(
    "stream_generation",
    METADATA,
    Column("one", Integer, CheckConstraint("one = 1", name="one"), primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),
)

# How many partitions a topic had when it was first seen; it must stay so.
STREAM_TOPICS = Table(
    "stream_topics",
    METADATA,
    Column("topic", Text, primary_key=True),
    Column("partitions", Integer, nullable=False),
)

STREAM_MEMBERS = Table(
    "stream_members",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    _time("joined_at"),
    _time("expires_at"),
    Column("names", ARRAY(Text)),  # the jobs that this process knows; not for partitions, which all know
    postgresql_with=_HOT_ROWS,
)

# Position, lease and fence of one partition for one consumer. `revision` never decreases and is never reset.
STREAM_POSITIONS = Table(
    "stream_positions",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("previous_offset", BigInteger),
    Column("previous_timestamp", BigInteger),  # milliseconds, as in the log
    Column("previous_crc", BigInteger),
    Column("owner", Text),
    _time("lease_until", nullable=True),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    # The revision of the last transaction: nothing in a log can have a later one, however many take-overs there were.
    Column("written_revision", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("consumer", "topic", "partition"),
    postgresql_with=_HOT_ROWS,
)

_POSITION_ID = "stream_positions.id"

# The last sequence accepted from each origin partition; `origin` is <generation>/<consumer>/<topic>.
STREAM_SEEN = Table(
    "stream_seen",
    METADATA,
    Column("position_id", Integer, ForeignKey(_POSITION_ID), primary_key=True),
    Column("origin", Text, primary_key=True),
    Column("sequences", ARRAY(BigInteger), nullable=False),
    postgresql_with=_HOT_ROWS,
)

# Committed and not yet known to be published. No foreign key: it would cost a look-up per row.
OUTBOX = Table(
    "outbox",
    METADATA,
    Column("position_id", Integer, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("destination_topic", Text, nullable=False),
    Column("destination_partition", Integer, nullable=False),
    Column("timestamp", BigInteger, nullable=False),  # milliseconds; a re-publication has the same
    Column("key", LargeBinary, nullable=False),
    Column("headers", LargeBinary, nullable=False),  # names and values in turn, separated by NUL
    Column("value", LargeBinary, nullable=False),
    postgresql_with=_HOT_QUEUE,
)

STREAM_TIMERS = Table(
    "stream_timers",
    METADATA,
    Column("position_id", Integer, primary_key=True),
    Column("key", Text, primary_key=True),
    _time("due_at"),
    Index("ix_stream_timers_due", "position_id", "due_at", "key"),
    postgresql_with=_HOT_QUEUE,
)

STREAM_PAUSES = Table(
    "stream_pauses",
    METADATA,
    Column("position_id", Integer, ForeignKey(_POSITION_ID), primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("timer_key", Text),  # the timer at fault, when it is no record
    Column("reason", Text, nullable=False),
    _time("paused_at", default=True),
    Column("decision", Text, CheckConstraint("decision IN ('resume', 'skip')", name="decision")),
    Column("decided_by", Text),
    _time("decided_at", nullable=True),
)

STREAM_REFUSALS = Table(
    "stream_refusals",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("command", Text, nullable=False),
    _time("refused_at", default=True),
    _time("resolved_at", nullable=True),
    Index("ix_stream_refusals_open", "id", postgresql_where=text("resolved_at IS NULL")),
)

# Cursor, lease and fence of one pull job (`leased_jobs`). `cursor` is NULL until it first moves.
STREAM_JOBS = Table(
    "stream_jobs",
    METADATA,
    Column("consumer", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("cursor", JSONB),
    _time("moved_at", nullable=True),
    Column("owner", Text),
    _time("lease_until", nullable=True),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    Column("last_error", Text),
    _time("failed_at", nullable=True),
    postgresql_with=_HOT_ROWS,
)

DEAD_LETTERS = Table(
    "dead_letters",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("record_type", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    _time("appended_at"),
    Column("key", LargeBinary),
    Column("headers", LargeBinary, nullable=False),  # JSON: names, and values in base64, because they may be anything
    Column("value", LargeBinary),
    Column("reason", Text, nullable=False),
    _time("recorded_at"),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('new', 'replaying', 'replayed', 'discarded')", name="state"),
        nullable=False,
        server_default="new",
    ),
    Column("replay_id", Text),
    Column("resolved_by", Text),
    _time("resolved_at", nullable=True),
    Index("ix_dead_letters_recent", "consumer", "recorded_at"),
)


def _after_create(statement: str) -> None:
    event.listen(METADATA, "after_create", DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]  # not annotated there


_after_create("INSERT INTO stream_generation (one, generation) VALUES (1, 1) ON CONFLICT DO NOTHING")
# Bodies go in and out within a second: compressing them in the table costs more than it saves.
_after_create("ALTER TABLE outbox ALTER COLUMN value SET STORAGE EXTERNAL")
_after_create(LEASE_FUNCTION)
_after_create(LEAVE_FUNCTION)
_after_create(JOB_LEASE_FUNCTION)
_after_create(JOB_LEAVE_FUNCTION)
