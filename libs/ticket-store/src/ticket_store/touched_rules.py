"""Which open tickets edited automation rules touch; docs/configuration.md tells it.

A rule on time touches the tickets that wait for it. A rule on facts touches those that its condition does not rule out:
it is asked of each ticket as it is, without a fact and a message (docs/decisions/0044).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

import cel
from pydantic import TypeAdapter

from ticket_contracts.expressions import FUNCTIONS, Condition, ExpressionFailed, UnusableExpression
from ticket_contracts.rule_view import TICKET_FIELDS, named_fields
from ticket_contracts.tickets import TicketSummary
from ticket_contracts.vocabulary import Metric
from ticket_store.configuration import Connection
from ticket_store.configuration_edits import Change, Edit, Edits
from ticket_store.tables import tickets as sql
from ticket_store.touched_tickets import UNTOUCHED, Part, Touched, told
from ticket_store.work_allowance import WorkAllowance
from ticket_store.workflow_documents import RULE_VARIABLES, Automation

MOST_TICKETS = 50_000
"""The newest open ones that conditions are asked of: with a few conditions, half a second of processor time."""

MOST_ANSWERS = 500_000
"""Conditions times tickets: an answer takes half a microsecond to two, and 500 rules must not take a minute."""

MOST_SECONDS = 2.0
"""Of work on the answers, because some take longer: a regular expression is prepared anew for each, and 2,000
characters hold sixty of them."""

TICKETS_AT_ONCE = 500  # read from the database

OPENING = "opened"
"""The fact that no ticket has ahead of it."""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """An open ticket as conditions see it; `late` are the metrics that were ever breached."""

    summary: TicketSummary
    answered_at: datetime | None = None
    unanswered_since: datetime | None = None
    late: frozenset[Metric] = frozenset()

    @property
    def breached(self) -> list[Metric]:
        """Return them in their order."""
        return [metric for metric in Metric if metric in self.late]


read_open_ticket = TypeAdapter(OpenTicket).validate_json


@dataclass(frozen=True, slots=True)
class Side:
    """What a rule on facts asks, as it is or as wanted."""

    channels: frozenset[str]
    condition: Condition

    def may_run(self, channel: str, context: cel.Context) -> bool:
        """Whether the ticket does not rule it out; without a fact and a message a condition on them gives no answer."""
        if self.channels and channel not in self.channels:
            return False
        try:
            return self.condition.holds(context)
        except ExpressionFailed:
            return not self.condition.variables.isdisjoint(RULE_VARIABLES[1:])


def side_of(rule: Automation | None) -> Side | None:
    """Return what the rule asks of tickets that are there; the engine leaves one out whose condition it cannot use."""
    if rule is None or not {*rule.on} - {OPENING}:
        return None
    try:
        return Side(frozenset(rule.channels), Condition(rule.when, RULE_VARIABLES))
    except UnusableExpression:
        return None


class Question:
    """Both sides of an edited rule, and the tickets that they do not rule out: all of them, and those by the new."""

    def __init__(self, edit: Edit[Automation]) -> None:
        self.new, old = side_of(edit.new), side_of(edit.old)
        same = edit.new and edit.old and (edit.new.when, edit.new.channels) == (edit.old.when, edit.old.channels)
        self.old = None if same and self.new else old
        self.sides = [side for side in (self.new, self.old) if side is not None]
        self.touched = self.by_new = 0

    @property
    def looks_at_tickets(self) -> bool:
        """Whether the answer may differ between two tickets of one channel."""
        return any("ticket" in side.condition.variables for side in self.sides)

    def ask(self, channel: str, context: cel.Context, tickets: int = 1) -> None:
        """Count the tickets, unless both sides rule them out."""
        if self.new is not None and self.new.may_run(channel, context):
            self.by_new += tickets
            self.touched += tickets
        elif self.old is not None and self.old.may_run(channel, context):
            self.touched += tickets


async def count_of_rules(connection: Connection, edits: Edits) -> Mapping[str, Touched]:
    """Count what waits for edited rules, and what their conditions do not rule out."""
    edited = edits.of(Automation)
    rows = await connection.fetch(sql.OPEN_BY_WAIT, [edit.name for edit in edited])
    waiting = {row["name"]: row["tickets"] for row in rows}
    allowance = WorkAllowance(MOST_SECONDS)
    questions = {edit.name: await _question(edit, allowance) for edit in edited}
    limits: dict[bool, str] = {}
    for looks, ask in ((False, _ask_by_channel), (True, _ask_by_ticket)):
        asking = [each for each in questions.values() if each.sides and each.looks_at_tickets is looks]
        limits[looks] = await ask(connection, asking, allowance) if asking else ""
    return {
        edit.name: _touched(edit.change, question, waiting.get(edit.name, 0), limits[question.looks_at_tickets])
        for edit, question in zip(edited, questions.values(), strict=True)
    }


async def _question(edit: Edit[Automation], allowance: WorkAllowance) -> Question:
    await allowance.lasts()  # compiling takes time, too, but a rule without its question could not be told of
    return Question(edit)


async def _ask_by_channel(connection: Connection, questions: Sequence[Question], allowance: WorkAllowance) -> str:
    """Ask conditions that look at no ticket once for each channel, and count exactly; say where not all were asked."""
    context = cel.Context(functions=FUNCTIONS)
    rows = await connection.fetch(sql.OPEN_BY_CHANNEL)
    allowance.resume()
    for (channel, tickets), question in product(rows, questions):
        if not await allowance.lasts():
            return "; it took too long to ask it for every channel"
        question.ask(channel, context, tickets)
    return ""


async def _ask_by_ticket(connection: Connection, questions: Sequence[Question], allowance: WorkAllowance) -> str:
    """Ask of each ticket; say of how many, where not of all."""
    conditions = [side.condition for question in questions for side in question.sides]
    fields = named_fields("ticket", "\n".join(each.expression for each in conditions), TICKET_FIELDS)
    most = min(MOST_TICKETS, MOST_ANSWERS // len(conditions))
    context, asked = cel.Context(functions=FUNCTIONS), 0
    cursor = await connection.cursor(sql.OPEN_AS_RULES_SEE_THEM, most + 1)
    while page := await cursor.fetch(TICKETS_AT_ONCE):
        allowance.resume()
        for channel, seen in page:
            if asked == most or not await allowance.lasts():
                return _only(asked)
            asked += 1
            ticket = read_open_ticket(seen)
            context.add_variable("ticket", {name: read(ticket) for name, read in fields.items()})
            for question in questions:
                if await allowance.lasts():
                    question.ask(channel, context)
    return "" if await allowance.lasts() else _only(asked)


def _only(asked: int) -> str:
    return f"; only the newest {asked:,} open tickets were asked"


_WAITING: Mapping[Change, str] = {
    "added": "they wait for it since it was last in force",
    "changed": "they wait for it; an earlier end counts from their next stay in the status",
    "archived": "they wait for it, and nothing will come of that",
}
_REACTING: Mapping[Change, str] = {
    "added": "as they are, its condition does not rule out that their next facts set it off",
    "changed": "as they are, its old or new condition does not rule out that their next facts set it off",
    "archived": "as they are, its condition did not rule out that their next facts set it off",
}


def _touched(change: Change, question: Question, waiting: int, limit: str) -> Touched:
    """`limit` says what was asked, where not all. Of a rule that was on time and is on facts, or the other way round,
    who waits may also be among the others."""
    if not question.sides:
        return told(waiting, _WAITING[change])
    parts = [Part(question.by_new, "by the new condition")] if change == "changed" else []
    parts += [Part(waiting, _WAITING[change])] if waiting else []
    number = max(question.touched, waiting)
    at_least = bool(limit) or (waiting > 0 and question.touched > 0)
    return Touched(number, _REACTING[change] + limit, tuple(parts), at_least) if number or at_least else UNTOUCHED
