"""What an apply would change, before it is applied: documents, their fields, and the open tickets it touches."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ticket_store.configuration import Configuration, Connection
from ticket_store.documents import Calendar, Document, Policy, Team
from ticket_store.roll_outs import CalendarScope, TicketScope, count_tickets

ABSENT = "—"
"""Stands for a field or an entry that one side does not have."""

Change = Literal["added", "changed", "archived"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value before and after, each as JSON or as ABSENT; `field` is a dotted path."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One document that an apply would touch. `note` says what becomes of the open tickets that hold it."""

    kind: str
    name: str
    change: Change
    fields: tuple[FieldChange, ...] = ()
    open_tickets: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply on top of version `head` would do."""

    head: int
    changes: tuple[PlannedChange, ...]
    unchanged: int


async def plan(connection: Connection, present: Configuration, documents: Collection[Document]) -> Plan:
    """Compare checked `documents` with what is in force; nothing is written."""
    wanted = {(document.kind, document.name): document for document in documents}
    changes = [change for key in sorted(wanted) if (change := _compare(present, wanted[key]))]
    archived = [
        PlannedChange(kind, name, "archived") for kind, name in sorted(present.documents) if (kind, name) not in wanted
    ]
    counted = [await _touching(connection, change) for change in (*changes, *archived)]
    return Plan(present.version, tuple(counted), len(wanted) - len(changes))


def _compare(present: Configuration, new: Document) -> PlannedChange | None:
    old = present.documents.get((new.kind, new.name))
    if old is None:
        return PlannedChange(new.kind, new.name, "added")
    if old.document == new:
        return None
    return PlannedChange(new.kind, new.name, "changed", tuple(field_changes(old.document, new)))


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


async def _touching(connection: Connection, change: PlannedChange) -> PlannedChange:
    """Count the open tickets that hold a changed calendar or policy, or stand in an archived team."""
    match change.kind, change.change:
        case Calendar.kind, "changed":
            scope: CalendarScope | TicketScope = CalendarScope(calendars=(change.name,))
            note = "their due times are worked out anew"
        case Calendar.kind, "archived":
            scope, note = CalendarScope(calendars=(change.name,)), "their clocks go on with the calendar as it was"
        case Policy.kind, "changed" | "archived":
            scope = TicketScope(policy=change.name)
            note = "they keep the version they have; `firebreak reevaluate` matches them anew"
        case Team.kind, "archived":
            scope, note = TicketScope(team=change.name), "they stay in it until somebody moves them"
        case _:
            return change
    counted = await count_tickets(connection, scope)
    return PlannedChange(change.kind, change.name, change.change, change.fields, counted, note if counted else "")
