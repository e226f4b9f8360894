"""Which open tickets the documents of people, promises and brands touch; docs/configuration.md tells it for every kind.

Each kind takes one query, however many of its documents change.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ticket_store.configuration import Connection
from ticket_store.configuration_edits import Change, Edits
from ticket_store.documents import Agent, Brand, Calendar, Document, Group, Policy, Team
from ticket_store.tables import configuration_rollouts as clocks_sql
from ticket_store.tables import tickets as sql
from ticket_store.workflow_documents import StatusName


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the touched tickets, and what is particular to them."""

    open_tickets: int
    note: str


@dataclass(frozen=True, slots=True)
class Touched:
    """How many open tickets a document touches, or `at_least` how many; `note` says what becomes of them."""

    open_tickets: int = 0
    note: str = ""
    parts: tuple[Part, ...] = ()
    at_least: bool = False


UNTOUCHED = Touched()
Counting: TypeAlias = Callable[[Connection, Edits], Awaitable[Mapping[str, Touched]]]
"""Returns what the edited documents of one kind touch, by their names; one that touches nothing may be left out."""


def told(number: int, note: str, *parts: Part) -> Touched:
    """Return so many tickets, without the parts that hold none."""
    return Touched(number, note, tuple(part for part in parts if part.open_tickets)) if number else UNTOUCHED


def counting(kind: type[Document], query: str, stays: str, gone: str) -> Counting:
    """Return how to count a kind whose names one query counts; what is said of tickets of a document that goes."""

    async def count(connection: Connection, edits: Edits) -> Mapping[str, Touched]:
        changes: dict[str, Change] = {edit.name: edit.change for edit in edits.of(kind)}
        rows = await connection.fetch(query, list(changes))
        return {
            row["name"]: told(row["tickets"], gone if changes[row["name"]] == "archived" else stays) for row in rows
        }

    return count


async def count_in_teams(connection: Connection, edits: Edits) -> Mapping[str, Touched]:
    """Count what stands in edited teams, and what agents hold who are members no more."""
    teams = {edit.name: edit for edit in edits.of(Team)}
    counted, left = Counter[str](), Counter[str]()
    for name, assignee, tickets in await connection.fetch(sql.OPEN_BY_TEAM_AND_AGENT, list(teams)):
        edit = teams[name]
        counted[name] += tickets
        if edit.old and edit.new and assignee in {*edit.old.members} - {*edit.new.members}:
            left[name] += tickets
    return {
        name: told(
            number,
            "they stay in it until somebody moves them" if teams[name].new is None else "they stand in it",
            Part(left[name], "they stay assigned to agents who are members no more"),
        )
        for name, number in counted.items()
    }


SIMPLE_KINDS: Mapping[type[Document], Counting] = {
    Calendar: counting(
        Calendar,
        clocks_sql.TICKETS_BY_CALENDAR,
        "their due times are worked out anew",
        "their clocks go on with the calendar as it was",
    ),
    Policy: counting(
        Policy, sql.OPEN_BY_POLICY, *2 * ["they keep the version they have; `firebreak reevaluate` matches them anew"]
    ),
    Team: count_in_teams,
    Agent: counting(
        Agent,
        sql.OPEN_BY_AGENT,
        "they are assigned to this agent",
        "they stay assigned to this agent until somebody hands them on",
    ),
    Group: counting(
        Group,
        clocks_sql.TICKETS_BY_GROUP_TOLD,
        "a step of their policy tells this group",
        "a step of their policy tells this group, and will find nobody",
    ),
    Brand: counting(Brand, sql.OPEN_BY_BRAND, "they are of this brand", "they stay of this brand"),
    StatusName: counting(
        StatusName,
        sql.OPEN_BY_STATUS_NAME,
        "they have this status, and keep it with their category until it is changed",
        "they keep this status until it is changed; nobody can give it any more",
    ),
}
