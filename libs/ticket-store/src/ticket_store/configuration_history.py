"""What was in force at every version, who made it so and when, and the way back."""

from dataclasses import dataclass
from datetime import datetime

from ticket_store.configuration import Applied, Configuration, Connection, Versioned, apply, read_document, read_head
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.tables import configuration_documents as sql
from ticket_store.tables import configuration_versions as versions_sql

_LISTS = ("changed", "added", "archived")
"""Columns that name documents."""


class NoSuchVersion(LookupError):
    """The configuration never had this version."""

    def __init__(self, version: int, head: int) -> None:
        super().__init__(f"there is no version {version}; give one from 1 to {head}" if head else "nothing was applied")


@dataclass(frozen=True, slots=True)
class HeadVersion:
    """One version of the whole: who, when, and which documents (`kind/name`) it brought or archived.

    `changed` are all that it brought, `added` those of them that were not in force before.
    """

    version: int
    applied_at: datetime
    applied_by: str
    rolled_back_to: int | None
    changed: tuple[str, ...]
    added: tuple[str, ...]
    archived: tuple[str, ...]


async def list_versions(connection: Connection, before: int | None = None, limit: int = 50) -> list[HeadVersion]:
    """Return the newest versions below `before`, the newest first."""
    rows = await connection.fetch(versions_sql.READ_VERSIONS, before, limit)
    return [HeadVersion(**{**row, **{name: tuple(row[name]) for name in _LISTS}}) for row in rows]


async def load_version(connection: Connection, version: int) -> Configuration:
    """Return what was in force at a version.

    :raises NoSuchVersion: it never was.
    """
    head = await read_head(connection)
    if not 1 <= version <= head:
        raise NoSuchVersion(version, head)
    rows = await connection.fetch(sql.READ_AT_HEAD, version)
    return Configuration(
        version=version,
        documents={
            (row["kind"], row["name"]): Versioned(read_document(row["kind"], row["body"]), row["version"])
            for row in rows
            if row["kind"] in DOCUMENT_KINDS
        },
    )


async def roll_back(
    connection: Connection, version: int, applied_by: str, *, expected_head: int | None = None
) -> Applied:
    """Apply what was in force at `version`, as a new version of its own.

    :raises NoSuchVersion: it never was. :raises HeadMoved: see `apply`.
    :raises ConfigurationRefused: this release no longer accepts what an earlier one did.
    """
    past = await load_version(connection, version)
    documents = [versioned.document for versioned in past.documents.values()]
    return await apply(connection, documents, applied_by, expected_head=expected_head, rolled_back_to=version)
