"""Business configuration in Postgres: applied as a whole, read by version.

Every apply that changes something raises the head; a batch compares it (`read_head`) and loads anew on a change.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar, cast
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from ticket_store.configuration_checks import ConfigurationRefused, FoundDocument, Problem, check_documents
from ticket_store.configuration_files import load_directory
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.documents import Calendar, Document
from ticket_store.roll_outs import request_recalculation
from ticket_store.tables import configuration_documents as sql
from ticket_store.tables import configuration_versions as versions_sql

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
DocumentT = TypeVar("DocumentT", bound=Document)
Identity = tuple[str, str]
"""Kind and name of a document."""


@dataclass(frozen=True, slots=True)
class Versioned(Generic[DocumentT]):
    """A document with its own version (1, 2, 3 …), by which a ticket remembers its policy."""

    document: DocumentT
    version: int


@dataclass(frozen=True, slots=True)
class Configuration:
    """All documents in force at one head version; 0 means that nothing was ever applied."""

    version: int
    documents: Mapping[Identity, Versioned[Document]] = field(default_factory=dict)

    def of(self, kind: type[DocumentT]) -> dict[str, Versioned[DocumentT]]:
        """Return the documents of one kind by name."""
        found = {name: versioned for (of_kind, name), versioned in self.documents.items() if of_kind == kind.kind}
        return cast("dict[str, Versioned[DocumentT]]", found)

    def get(self, kind: type[DocumentT], name: str) -> Versioned[DocumentT] | None:
        """Return one document, or None when there is none of this name in force."""
        return cast("Versioned[DocumentT] | None", self.documents.get((kind.kind, name)))


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did. `version` is the head afterwards."""

    version: int
    changed: tuple[Identity, ...]
    archived: tuple[Identity, ...]
    unchanged: int
    roll_out: UUID | None = None
    """Of a changed calendar: what moves the clocks that run on it (rule 34)."""


class HeadMoved(Exception):
    """Somebody else changed the configuration since it was read; nothing was changed. `head` is the present version."""

    def __init__(self, expected: int, head: int) -> None:
        super().__init__(f"the configuration is at version {head} by now, not at {expected}; read it and decide anew")
        self.head = head


async def apply(
    connection: Connection,
    documents: Collection[Document],
    applied_by: str,
    *,
    expected_head: int | None = None,
    rolled_back_to: int | None = None,
) -> Applied:
    """Make `documents` the whole configuration, in a transaction of its own; several at once follow one another.

    Only what differs gets a new version; what is in force and not given is archived, and its versions stay readable.

    :raises ConfigurationRefused: with all problems; nothing was changed.
    :raises HeadMoved: `expected_head` is given and is not the present one.
    """
    check_documents([FoundDocument(document) for document in documents])
    async with connection.transaction():
        await connection.execute(sql.MAKE_HEAD)
        await connection.execute(sql.LOCK_HEAD)
        present = await load(connection)
        if expected_head is not None and present.version != expected_head:
            raise HeadMoved(expected_head, present.version)
        wanted = {(document.kind, document.name): document for document in documents}
        changed = {key: new for key, new in wanted.items() if _differs(present.documents.get(key), new)}
        archived = {key: old.document for key, old in present.documents.items() if key not in wanted}
        version, roll_out = present.version, None
        if changed or archived:
            version = await connection.fetchval(sql.RAISE_HEAD)
            roll_out = await _roll_out(connection, changed, version, applied_by)
            await _add_versions(connection, changed, archived, applied_by, version)
            await connection.execute(versions_sql.ADD_VERSION, version, applied_by, rolled_back_to)
    return Applied(version, tuple(sorted(changed)), tuple(sorted(archived)), len(wanted) - len(changed), roll_out)


async def load(connection: Connection) -> Configuration:
    """Read what is in force, with the head version that it belongs to."""
    rows = await connection.fetch(sql.READ_IN_FORCE)
    return Configuration(
        version=rows[0]["head"],
        documents={
            (row["kind"], row["name"]): Versioned(read_document(row["kind"], row["body"]), row["version"])
            for row in rows
            if row["kind"] in DOCUMENT_KINDS  # not None, and not of a kind that a newer release added
        },
    )


async def read_head(connection: Connection) -> int:
    """Return the head version: what is cheap enough to ask in every batch."""
    return cast("int", await connection.fetchval(sql.READ_HEAD))


async def load_past(
    connection: Connection, kind: type[DocumentT], wanted: Collection[tuple[str, int]]
) -> dict[tuple[str, int], DocumentT]:
    """Read versions by (name, version), in force or not: a ticket keeps the policy that it was matched with."""
    names, versions = [name for name, _ in wanted], [version for _, version in wanted]
    rows = await connection.fetch(sql.READ_PAST, kind.kind, names, versions)
    return {(row["name"], row["version"]): cast("DocumentT", read_document(kind.kind, row["body"])) for row in rows}


def read_document(kind: str, body: str) -> Document:
    """Return a stored document."""
    # Fields that a newer release added are ignored, so that old and new processes can run side by side.
    return DOCUMENT_KINDS[kind].model_validate_json(body, extra="ignore")


def _differs(present: Versioned[Document] | None, new: Document) -> bool:
    return present is None or present.document != new


async def _add_versions(
    connection: Connection,
    changed: Mapping[Identity, Document],
    archived: Mapping[Identity, Document],
    applied_by: str,
    head: int,
) -> None:
    rows: Sequence[tuple[str, str, bool, str]] = [
        (kind, name, is_archived, json.dumps(document.model_dump(mode="json"), ensure_ascii=False))
        for group, is_archived in ((changed, False), (archived, True))
        for (kind, name), document in sorted(group.items())
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(sql.ADD_VERSIONS, *columns, applied_by, head)


async def _roll_out(
    connection: Connection, changed: Mapping[Identity, Document], head: int, requested_by: str
) -> UUID | None:
    """A calendar that never was before has no clocks; one that was archived and comes back may have."""
    names = [name for kind, name in changed if kind == Calendar.kind]
    known = [row["name"] for row in await connection.fetch(sql.READ_KNOWN_NAMES, Calendar.kind, names)] if names else []
    return await request_recalculation(connection, tuple(sorted(known)), head, requested_by) if known else None


__all__ = [
    "Applied",
    "Configuration",
    "ConfigurationRefused",
    "HeadMoved",
    "Problem",
    "Versioned",
    "apply",
    "load",
    "load_directory",
    "load_past",
    "read_document",
    "read_head",
]
