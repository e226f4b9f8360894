"""One database role per service: every service reads all tables, and writes those that it is the writer of.

So that a ticket has one writer is not a habit but a privilege. Who takes messages in at a door has no role, because it
uses no database; ingest-pull has one for its leases and cursors, ingest-files for the files it has
to fetch.
"""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from ticket_store.sessions import connect

ROUTER = "router"
SLA_ENGINE = "sla-engine"
CRM_API = "crm-api"
INGEST_PULL = "ingest-pull"
INGEST_FILES = "ingest-files"
SERVICES = (ROUTER, SLA_ENGINE, CRM_API, INGEST_PULL, INGEST_FILES)
STREAMING = (ROUTER, SLA_ENGINE)
"""Services that keep positions, outbox and dead letters: each its own rows of the tables they share."""

WRITERS: Mapping[str, tuple[str, ...]] = {
    "agent_load": (ROUTER,),
    "api_keys": (CRM_API,),
    "clocks": (SLA_ENGINE,),
    "command_outcomes": (SLA_ENGINE,),
    "configuration_documents": (CRM_API,),
    "configuration_head": (CRM_API,),
    "configuration_rollouts": (CRM_API,),
    "configuration_versions": (CRM_API,),
    "contact_identities": (ROUTER,),
    "contacts": (ROUTER,),
    "dead_letters": STREAMING,
    "file_fetches": (ROUTER, INGEST_FILES),
    "inbound_messages": (ROUTER,),
    "messages": (SLA_ENGINE,),
    "outbox": STREAMING,
    "sender_floods": (ROUTER,),
    "stream_generation": (),  # only an operator recovers
    "stream_jobs": (INGEST_PULL,),
    "stream_members": (*STREAMING, INGEST_PULL),
    "stream_pauses": STREAMING,
    "stream_positions": STREAMING,
    "stream_refusals": STREAMING,
    "stream_seen": STREAMING,
    "stream_timers": STREAMING,
    "stream_topics": STREAMING,
    "threads": (ROUTER,),
    "ticket_events": (SLA_ENGINE,),
    "tickets": (SLA_ENGINE,),
}
"""The writers of each table, mostly one; a test holds it to the tables that there are."""

SEQUENCE_USERS: Mapping[str, str] = {"ticket_numbers": SLA_ENGINE}


async def create_roles(url: str, passwords: Mapping[str, str], prefix: str = "firebreak_") -> dict[str, str]:
    """Make or renew the role of each service, and return its URL by service.

    For a superuser or the tables' owner with CREATEROLE, after every migration: it grants what exists then.
    Passwords of a URL-safe alphabet keep the statement log of the server readable; have `log_statement` below `ddl`.

    :raises ticket_store.sessions.DatabaseAway: the server cannot be reached.
    """
    connection = await connect(url, application_name="firebreak-roles")
    try:
        async with connection.transaction():
            for service in SERVICES:
                role = role_of(service, prefix)
                await _make_role(connection, role, passwords[service])
                await _grant(connection, role, service)
    finally:
        await connection.close()
    return {service: _url_of(url, role_of(service, prefix), passwords[service]) for service in SERVICES}


def role_of(service: str, prefix: str = "firebreak_") -> str:
    """Return the name of a service's role, such as `firebreak_sla_engine`."""
    return prefix + service.replace("-", "_")


async def _make_role(connection: "asyncpg.Connection[asyncpg.Record]", role: str, password: str) -> None:
    exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
    verb = "ALTER" if exists else "CREATE"
    # DDL takes no parameters, so the server quotes the words.
    statement = await connection.fetchval(
        "SELECT format('%s ROLE %I LOGIN PASSWORD %L', $1::text, $2::text, $3::text)", verb, role, password
    )
    await connection.execute(statement)


async def _grant(connection: "asyncpg.Connection[asyncpg.Record]", role: str, service: str) -> None:
    written = sorted(table for table, writers in WRITERS.items() if service in writers)
    sequences = sorted(sequence for sequence, user in SEQUENCE_USERS.items() if user == service)
    statements = [
        f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{role}"',  # what it wrote in an earlier release
        f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"',
        *(f'GRANT INSERT, UPDATE, DELETE ON "{table}" TO "{role}"' for table in written),
        *(f'GRANT USAGE ON SEQUENCE "{sequence}" TO "{role}"' for sequence in sequences),
    ]
    await connection.execute(";".join(statements))


def _url_of(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{where}"))
