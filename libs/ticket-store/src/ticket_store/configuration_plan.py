"""What an apply would change, before it is applied: documents, their fields, and the open tickets it touches."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ticket_store.configuration import Configuration, Connection
from ticket_store.configuration_edits import Change, Edit, Edits
from ticket_store.documents import Document
from ticket_store.touched_kinds import count_touched
from ticket_store.touched_tickets import UNTOUCHED, Part, Touched

ABSENT = "—"
"""Stands for a field or an entry that one side does not have."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value before and after, each as JSON or as ABSENT; `field` is a dotted path."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One document that an apply would touch, and the open tickets that it touches: see `Touched`."""

    kind: str
    name: str
    change: Change
    fields: tuple[FieldChange, ...] = ()
    open_tickets: int = 0
    at_least: bool = False
    note: str = ""
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply on top of version `head` would do."""

    head: int
    changes: tuple[PlannedChange, ...]
    unchanged: int


async def plan(connection: Connection, present: Configuration, documents: Collection[Document]) -> Plan:
    """Compare checked `documents` with what is in force; nothing is written. Opens a transaction of its own."""
    edits = Edits(
        {key: versioned.document for key, versioned in present.documents.items()},
        {(document.kind, document.name): document for document in documents},
    )
    touched = await count_touched(connection, edits)
    changes = tuple(_planned(kind, edit, touched.get((kind, edit.name), UNTOUCHED)) for kind, edit in edits.all)
    return Plan(present.version, changes, len(edits.after) - sum(change.change != "archived" for change in changes))


def _planned(kind: str, edit: Edit[Document], touched: Touched) -> PlannedChange:
    fields = tuple(field_changes(edit.old, edit.new)) if edit.old is not None and edit.new is not None else ()
    return PlannedChange(
        kind, edit.name, edit.change, fields, touched.open_tickets, touched.at_least, touched.note, touched.parts
    )


def field_changes(old: Document, new: Document) -> Iterator[FieldChange]:
    """Yield the fields that differ, nested ones by their path; a list is shown whole: its order means something."""
    yield from _differences("", old.model_dump(mode="json"), new.model_dump(mode="json"))


def _differences(path: str, old: Any, new: Any) -> Iterator[FieldChange]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _differences(f"{path}.{key}".lstrip("."), old.get(key, _NOTHING), new.get(key, _NOTHING))
    elif old != new:
        yield FieldChange(path, _shown(old), _shown(new))


_NOTHING = object()


def _shown(value: object) -> str:
    return ABSENT if value is _NOTHING else json.dumps(value, ensure_ascii=False)
