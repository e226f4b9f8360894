"""What a changed configuration still has to tell to open tickets. Writer: crm-api (an operator may add rows)."""

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from ticket_store.tables.metadata import METADATA

CONFIGURATION_ROLLOUTS = Table(
    "configuration_rollouts",
    METADATA,
    Column("rollout_id", Uuid, primary_key=True),
    Column("head", BigInteger, nullable=False),  # the configuration's version when it was asked for
    Column("kind", Text, CheckConstraint("kind IN ('recalculate', 'reevaluate')", name="kind"), nullable=False),
    Column("scope", JSONB, nullable=False),  # ticket_store.roll_outs: CalendarScope or TicketScope
    Column("cursor_ticket_id", Uuid),  # every ticket up to this one was told
    Column("counted", Integer, nullable=False, server_default=text("0")),  # tickets told
    Column("requested_by", Text, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Index("ix_configuration_rollouts_open", "requested_at", postgresql_where=text("done_at IS NULL")),
)

ADD_ROLLOUT = """
INSERT INTO configuration_rollouts (rollout_id, head, kind, scope, requested_by, requested_at)
VALUES ($1, $2, $3, $4::jsonb, $5, now())
"""

_COLUMNS = "rollout_id, head, kind, scope, cursor_ticket_id, counted, requested_by, requested_at, done_at"

READ_ROLLOUT = f"SELECT {_COLUMNS} FROM configuration_rollouts WHERE rollout_id = $1"  # noqa: S608 - constants

READ_ROLLOUTS = f"""
SELECT {_COLUMNS} FROM configuration_rollouts ORDER BY requested_at DESC, rollout_id LIMIT $1
"""  # noqa: S608 - constants

TAKE_ROLLOUT = f"""
SELECT {_COLUMNS} FROM configuration_rollouts
WHERE done_at IS NULL
ORDER BY requested_at, rollout_id
LIMIT 1
FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - constants
"""One page of one roll-out belongs to whoever holds its row."""

MOVE_CURSOR = """
UPDATE configuration_rollouts SET cursor_ticket_id = $2, counted = counted + $3 WHERE rollout_id = $1
"""

FINISH_ROLLOUT = "UPDATE configuration_rollouts SET done_at = now() WHERE rollout_id = $1"

_CLOCKS_ON_CALENDARS = """
FROM clocks AS clock
JOIN configuration_documents AS policy
    ON policy.kind = 'policy' AND policy.name = clock.policy AND policy.version = clock.policy_version
WHERE policy.body ->> 'calendar' = ANY($1::text[])
    AND clock.stopped_at IS NULL AND clock.status IN ('running', 'paused', 'breached')
"""

TICKETS_ON_CALENDARS = f"SELECT DISTINCT clock.ticket_id {_CLOCKS_ON_CALENDARS}"
"""A clock is of its policy version's calendar, so that no column repeats it: the engine writes clocks all day, while a
calendar is edited a few times a year. A page goes along the key, from `clock.ticket_id` on."""

TICKETS_BY_CALENDAR = f"""
SELECT policy.body ->> 'calendar' AS name, count(DISTINCT clock.ticket_id) AS tickets
{_CLOCKS_ON_CALENDARS}
GROUP BY 1
"""

TICKETS_BY_GROUP_TOLD = """
WITH told AS MATERIALIZED (
    SELECT DISTINCT policy.name AS policy, policy.version, recipient.body ->> 'name' AS name
    FROM configuration_documents AS policy
    CROSS JOIN LATERAL jsonb_path_query(policy.body, '$.escalations[*].notify[*] ? (@.to == "group")')
        AS recipient (body)
    WHERE policy.kind = 'policy' AND recipient.body ->> 'name' = ANY($1::text[])
)
SELECT told.name, count(DISTINCT clock.ticket_id) AS tickets
FROM told JOIN clocks AS clock ON clock.policy = told.policy AND clock.policy_version = told.version
WHERE clock.stopped_at IS NULL AND clock.status IN ('running', 'paused', 'breached')
GROUP BY 1
"""
"""Tickets with an open clock under a policy version of which a step tells the group."""

PAGE_ON_CALENDARS = f"""
{TICKETS_ON_CALENDARS} AND clock.ticket_id > $2
ORDER BY clock.ticket_id
LIMIT $3
"""

TICKETS_OF_SCOPE = """
SELECT ticket_id
FROM tickets
WHERE status <> 'closed'
    AND ($1::text IS NULL OR team = $1)
    AND ($2::text IS NULL OR state ->> 'policy' = $2)
    AND ($3::timestamptz IS NULL OR opened_at >= $3)
    AND ($4::timestamptz IS NULL OR opened_at < $4)
"""

COUNT_OF_SCOPE = f"SELECT count(*) FROM ({TICKETS_OF_SCOPE}) AS counted"  # noqa: S608 - constants

PAGE_OF_SCOPE = f"""
{TICKETS_OF_SCOPE} AND ticket_id > $5
ORDER BY ticket_id
LIMIT $6
"""
