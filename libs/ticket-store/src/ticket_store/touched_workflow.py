"""Which open tickets flows, fields, words and the matrix touch; docs/configuration.md tells it for every kind."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ticket_contracts.field_values import fits
from ticket_contracts.statuses import ENDED, flow_of
from ticket_contracts.vocabulary import Grade, Priority, Status
from ticket_store.configuration import Connection
from ticket_store.configuration_edits import Edit, Edits, of_kind
from ticket_store.flow_checks import categories_of, following
from ticket_store.tables import tickets as sql
from ticket_store.touched_tickets import Part, Touched, told
from ticket_store.workflow_documents import Code, CustomField, Flow, PriorityMatrix, StatusName, Taxonomy

MOST_STATUSES = 5  # named where tickets stand; the number counts all

_BY_THE_TEXT = "which status may follow theirs goes by the new text"
_BY_ANOTHER = "which status may follow theirs goes by another flow, or by the categories alone"


class Place(NamedTuple):
    """Tickets of a team that have one status, perhaps by a name of the organisation's own."""

    team: str
    status: Status
    name: str | None
    tickets: int


async def count_in_flows(connection: Connection, edits: Edits) -> Mapping[str, Touched]:
    """Count the tickets of the teams that each flow was or will be for, and those that nobody can lead on then."""
    flows = {edit.name: edit for edit in edits.of(Flow)}
    before, after = of_kind(Flow, edits.before), of_kind(Flow, edits.after)
    categories = categories_of(of_kind(StatusName, edits.after))
    places: dict[str, list[Place]] = {}
    stuck: dict[str, list[Place]] = {}
    for row in await connection.fetch(sql.OPEN_BY_PLACE):
        place = Place(row["team"], Status(row["status"]), row["status_name"], row["tickets"])
        holds = flow_of(place.team, after)
        for name in flows.keys() & {flow.name for flow in (flow_of(place.team, before), holds) if flow is not None}:
            places.setdefault(name, []).append(place)
            if holds is not None and not goes_on(place, holds, categories):
                stuck.setdefault(name, []).append(place)
    return {
        name: told(
            sum(place.tickets for place in found),
            _BY_THE_TEXT if flows[name].new is not None else _BY_ANOTHER,
            _stuck(stuck.get(name, [])),
        )
        for name, found in places.items()
    }


def goes_on(place: Place, flow: Flow, categories: Mapping[str, Status]) -> bool:
    """Whether a person can give it another status; what is solved may rest there."""
    if place.status in ENDED:
        return True
    own = place.name or place.status
    return bool(following(own, place.status, flow, categories) - {own})


def _stuck(places: Sequence[Place]) -> Part:
    statuses = Counter[str]()
    for place in places:
        statuses[place.name or place.status] += place.tickets
    shown = ", ".join(f"{number} {status}" for status, number in statuses.most_common(MOST_STATUSES))
    more = ", …" if len(statuses) > MOST_STATUSES else ""
    note = f"they have a status that the flow does not know or leads nowhere from, until the customer writes: {shown}"
    return Part(statuses.total(), note + more)


async def count_of_fields(connection: Connection, edits: Edits) -> Mapping[str, Touched]:
    """Count the tickets that hold a value, and the values that the new type or choices would refuse."""
    fields = {edit.name: edit for edit in edits.of(CustomField)}
    judged = [name for name, edit in fields.items() if edit.new and not _takes_all_of(edit)]
    counted, refused = Counter[str](), Counter[str]()
    async for name, value, tickets in connection.cursor(sql.OPEN_BY_FIELD, list(fields), judged):
        counted[name] += tickets
        new = fields[name].new
        if value is not None and new is not None and not fits(json.loads(value), new.type, new.choices):
            refused[name] += tickets
    return {
        name: told(
            number,
            "they keep their value of it" + (", which nobody can change any more" if fields[name].new is None else ""),
            Part(refused[name], "their value is none that could be given anew"),
        )
        for name, number in counted.items()
    }


def _takes_all_of(edit: Edit[CustomField]) -> bool:
    """Whether the new field takes each value that the old one took."""
    old, new = edit.old, edit.new
    return old is not None and new is not None and old.type == new.type and {*old.choices} <= {*new.choices}


async def count_with_words(connection: Connection, edits: Edits) -> Mapping[str, Touched]:
    """Count the tickets with a resolution code or a cause whose entry is new, another or gone."""
    return {edit.name: await _with_words(connection, edit) for edit in edits.of(Taxonomy)}  # it is the only one


async def _with_words(connection: Connection, edit: Edit[Taxonomy]) -> Touched:
    old, new = edit.old or Taxonomy(name=edit.name), edit.new or Taxonomy(name=edit.name)
    pairs = ((old.resolution_codes, new.resolution_codes), (old.causes, new.causes))
    edited = [sorted(_words(before, after)) for before, after in pairs]
    gone = [sorted({code.name for code in before} - {code.name for code in after}) for before, after in pairs]
    row = await connection.fetchrow(sql.OPEN_WITH_WORDS, *edited, *gone)
    assert row is not None  # an aggregate always has one
    note = "they have a resolution code or a cause that is new, changed or gone, and keep it"
    return told(row["tickets"], note, Part(row["gone"], "it is gone, and nobody can give it any more"))


def _words(before: Sequence[Code], after: Sequence[Code]) -> set[str]:
    """Return the names whose entries differ."""
    return {code.name for code in (*before, *after) if (code in before) != (code in after)}


async def count_graded(connection: Connection, edits: Edits) -> Mapping[str, Touched]:
    """Count the tickets whose impact and urgency give another priority now."""
    rows = await connection.fetch(sql.OPEN_BY_GRADES)
    return {edit.name: _graded(edit, [tuple(row) for row in rows]) for edit in edits.of(PriorityMatrix)}


def _graded(edit: Edit[PriorityMatrix], graded: Sequence[tuple[str, str, int]]) -> Touched:
    number = sum(
        tickets
        for impact, urgency, tickets in graded
        if _priority(edit.old, impact, urgency) is not _priority(edit.new, impact, urgency)
    )
    return told(number, "they keep their priority until they are graded anew; the matrix gives another one for them")


def _priority(matrix: PriorityMatrix | None, impact: str, urgency: str) -> Priority | None:
    return matrix.priorities.get(Grade(impact), {}).get(Grade(urgency)) if matrix is not None else None
