"""The present state of every ticket: always the fold of its events. Writer: sla-engine."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Sequence, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from ticket_store.tables.metadata import METADATA

TICKET_NUMBERS = Sequence("ticket_numbers", metadata=METADATA, start=1001)
"""Short numbers for people; gaps are allowed, so a rolled-back batch may burn some."""

TICKETS = Table(
    "tickets",
    METADATA,
    Column("ticket_id", Uuid, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("brand", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("contact_id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text),
    Column("team", Text, nullable=False),
    Column("assignee", Text),
    Column("tags", ARRAY(Text), nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("first_response_due_at", DateTime(timezone=True)),  # of the open clock, for lists
    Column("next_due_at", DateTime(timezone=True)),  # the earliest due time of any open clock
    Column("successor_id", Uuid),
    Column("state", JSONB, nullable=False),  # the fold of its events: sla_engine.domain.ticket.Ticket as JSON
    Index("ix_tickets_list", "updated_at", "ticket_id"),
    Index("ix_tickets_queue", "team", "status", "updated_at", "ticket_id"),
    Index("ix_tickets_assignee", "assignee", "status", "updated_at", "ticket_id"),
    Index("ix_tickets_contact", "contact_id", "updated_at"),
)

LOAD_STATES = "SELECT ticket_id, state FROM tickets WHERE ticket_id = ANY($1::uuid[])"

DRAW_NUMBERS = "SELECT nextval('ticket_numbers') FROM generate_series(1, $1::integer)"

NEW_TICKET_COLUMNS = (
    "ticket_id",
    "number",
    "version",
    "brand",
    "channel",
    "contact_id",
    "subject",
    "status",
    "priority",
    "team",
    "assignee",
    "tags",
    "opened_at",
    "updated_at",
    "first_response_due_at",
    "next_due_at",
    "successor_id",
    "state",
)
"""For COPY of tickets just opened."""

UPDATE_TICKETS = """
UPDATE tickets
SET version = changed.version, status = changed.status, priority = changed.priority, team = changed.team,
    assignee = changed.assignee, tags = ARRAY(SELECT jsonb_array_elements_text(changed.state #> '{summary,tags}')),
    updated_at = $1, first_response_due_at = changed.first_response_due_at, next_due_at = changed.next_due_at,
    successor_id = changed.successor_id, state = changed.state
FROM unnest(
    $2::uuid[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::uuid[], $12::jsonb[]
) AS changed (
    ticket_id, loaded_version, version, status, priority, team, assignee,
    first_response_due_at, next_due_at, successor_id, state
)
WHERE tickets.ticket_id = changed.ticket_id AND tickets.version = changed.loaded_version
"""
"""Touches fewer rows than it is given when somebody else wrote a ticket since it was loaded: a bug, never normal."""

WIDE_PLANS = """
SELECT set_config(name, 'on', true) FROM unnest('{enable_seqscan,enable_hashjoin,enable_mergejoin}'::text[]) AS name
"""
"""For this transaction: counts of many rows need what a pool of point look-ups has put away (`sessions.open_pool`)."""

OPEN_BY_BRAND = """
SELECT brand AS name, count(*) AS tickets FROM tickets
WHERE status <> 'closed' AND brand = ANY($1::text[])
GROUP BY 1
"""
OPEN_BY_AGENT = """
SELECT assignee AS name, count(*) AS tickets FROM tickets
WHERE status <> 'closed' AND assignee = ANY($1::text[])
GROUP BY 1
"""
OPEN_BY_TEAM_AND_AGENT = """
SELECT team AS name, assignee, count(*) AS tickets FROM tickets
WHERE status <> 'closed' AND team = ANY($1::text[])
GROUP BY 1, 2
"""
OPEN_BY_POLICY = """
SELECT state ->> 'policy' AS name, count(*) AS tickets FROM tickets
WHERE status <> 'closed' AND state ->> 'policy' = ANY($1::text[])
GROUP BY 1
"""
OPEN_BY_CHANNEL = "SELECT channel, count(*) AS tickets FROM tickets WHERE status <> 'closed' GROUP BY 1"

OPEN_BY_STATUS_NAME = """
SELECT state #>> '{summary,status_name}' AS name, count(*) AS tickets FROM tickets
WHERE status <> 'closed' AND state #>> '{summary,status_name}' = ANY($1::text[])
GROUP BY 1
"""
OPEN_BY_PLACE = """
SELECT team, status, state #>> '{summary,status_name}' AS status_name, count(*) AS tickets FROM tickets
WHERE status <> 'closed'
GROUP BY 1, 2, 3
"""
"""Where tickets stand, as flows look at it."""

OPEN_BY_FIELD = """
SELECT held.key AS name, CASE WHEN held.key = ANY($2::text[]) THEN held.value END AS value, count(*) AS tickets
FROM tickets CROSS JOIN LATERAL jsonb_each(state #> '{summary,fields}') AS held
WHERE status <> 'closed' AND held.key = ANY($1::text[])
GROUP BY 1, 2
"""
"""$2: the fields of which each value is told, too."""

OPEN_BY_GRADES = """
SELECT state #>> '{summary,impact}' AS impact, state #>> '{summary,urgency}' AS urgency, count(*) AS tickets
FROM tickets
WHERE status <> 'closed' AND state #> '{summary,impact}' IS NOT NULL AND state #> '{summary,urgency}' IS NOT NULL
GROUP BY 1, 2
"""

OPEN_WITH_WORDS = """
SELECT count(*) AS tickets, count(*) FILTER (
    WHERE state #>> '{summary,resolution_code}' = ANY($3::text[]) OR state #>> '{summary,cause}' = ANY($4::text[])
) AS gone
FROM tickets
WHERE status <> 'closed'
    AND (state #>> '{summary,resolution_code}' = ANY($1::text[]) OR state #>> '{summary,cause}' = ANY($2::text[]))
"""
"""Resolution codes and causes of a taxonomy; those that are gone stand among the first two, too."""

OPEN_BY_WAIT = """
SELECT waiting.rule #>> '{}' AS name, count(DISTINCT ticket_id) AS tickets
FROM tickets CROSS JOIN LATERAL jsonb_path_query(state, '$.automation.waits[*][1]') AS waiting (rule)
WHERE status <> 'closed' AND waiting.rule #>> '{}' = ANY($1::text[])
GROUP BY 1
"""
"""A wait is stored as [at, rule, since]: `sla_engine.domain.rule_memory.Wait`."""

OPEN_AS_RULES_SEE_THEM = """
SELECT channel, jsonb_build_object(
    'summary', state -> 'summary',
    'answered_at', state -> 'answered_at', 'unanswered_since', state -> 'unanswered_since',
    'late', jsonb_path_query_array(state, '$.clocks[*] ? (exists(@.breached_at)).metric')
        || jsonb_path_query_array(state, 'strict $.past_clocks[*] ? (@[3] == true)[0]', '{}', true)
) AS seen
FROM tickets
WHERE status <> 'closed'
ORDER BY ticket_id DESC
LIMIT $1
"""
"""The newest first. A past clock is stored as [metric, stopped_at, promised, breached] (`clock_memory.PastClocks`): the
path is strict, or it would look for a metric within each of them."""
