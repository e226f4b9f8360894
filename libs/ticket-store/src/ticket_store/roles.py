"""One database role per service: a service writes the tables that it is the writer of, and reads all but for the doors.

So that a ticket has one writer is not a habit but a privilege. ingest-webhook has no role, because it uses no database;
ingest-files has one for the files it has to fetch. ingest-pull and ingest-email have leases and cursors of jobs and
see nothing else: what strangers send is taken apart there (docs/decisions/0037).
"""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from ticket_store.sessions import connect

ROUTER = "router"
SLA_ENGINE = "sla-engine"
CRM_API = "crm-api"
INGEST_PULL = "ingest-pull"
INGEST_EMAIL = "ingest-email"
INGEST_FILES = "ingest-files"
SERVICES = (ROUTER, SLA_ENGINE, CRM_API, INGEST_PULL, INGEST_EMAIL, INGEST_FILES)
STREAMING = (ROUTER, SLA_ENGINE)
"""Services that keep positions, outbox and dead letters: each its own rows of the tables they share."""
PULLING = (INGEST_PULL, INGEST_EMAIL)
"""Services that have jobs: each its own rows of two tables, and no right to read any other."""

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
    "delivery_receipts": (ROUTER,),
    "delivery_watermarks": (ROUTER,),
    "file_fetches": (ROUTER, INGEST_FILES),
    "inbound_messages": (ROUTER,),
    "messages": (SLA_ENGINE,),
    "outbox": STREAMING,
    "sender_floods": (ROUTER,),
    "stream_generation": (),  # only an operator recovers
    "stream_jobs": PULLING,
    "stream_members": (*STREAMING, *PULLING),
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
    """Make or renew the role of each service that has a password here, and return its URL by service.

    For a superuser or the tables' owner with CREATEROLE, after every migration: it grants what exists then.
    Passwords of a URL-safe alphabet keep the statement log of the server readable; have `log_statement` below `ddl`.

    :raises ticket_store.sessions.DatabaseAway: the server cannot be reached.
    """
    connection = await connect(url, application_name="firebreak-roles")
    try:
        async with connection.transaction():
            for service in filter(passwords.__contains__, SERVICES):
                role = role_of(service, prefix)
                await _make_role(connection, role, passwords[service])
                await _grant(connection, role, service)
    finally:
        await connection.close()
    return {service: _url_of(url, role_of(service, prefix), password) for service, password in passwords.items()}


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
        *([] if service in PULLING else [f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{role}"']),
        *(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO "{role}"' for table in written),
        *(f'GRANT USAGE ON SEQUENCE "{sequence}" TO "{role}"' for sequence in sequences),
    ]
    await connection.execute(";".join(statements))


def _url_of(url: str, role: str, password: str) -> str:
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password, safe='')}@{where}"))
