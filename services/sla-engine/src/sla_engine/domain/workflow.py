"""How the organisation works, beyond the fixed categories: its statuses, flows, fields and words for causes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ticket_contracts.commands import SetStatus
from ticket_contracts.contract import FieldValue
from ticket_contracts.field_values import fits
from ticket_contracts.statuses import ENDED, flow_of, refusal_of_change
from ticket_contracts.tickets import TicketSummary
from ticket_contracts.vocabulary import Grade, Priority, Status

MOST_NAMED = 10
"""Words of the taxonomy in a refusal; whoever has many more looks them up."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Which status, by name or category, may follow which; what is not mentioned may not."""

    name: str
    teams: frozenset[str]
    allowed: Mapping[str, frozenset[str]]
    resolution_code_required: bool = False


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a custom field holds."""

    type: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """One configuration version's documents of work; an empty one refuses every name and allows every category."""

    statuses: Mapping[str, Status] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    fields: Mapping[str, FieldType] = field(default_factory=dict)
    resolution_codes: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()
    priorities: Mapping[tuple[Grade, Grade], Priority] = field(default_factory=dict)

    def refusal_of_status(self, ticket: TicketSummary, command: SetStatus) -> str:
        """Return why the ticket may not change so, or nothing."""
        name = command.status_name
        if name is not None and self.statuses.get(name) is not command.status:
            return f"status_name: there is no status {name!r} of the category {command.status}"
        if command.status is not ticket.status and (refusal := refusal_of_change(ticket.status, command.status)):
            return refusal
        flow = flow_of(ticket.team, self.flows)
        stays = (command.status, name) == (ticket.status, ticket.status_name)  # only a code or a cause is added
        before, after = {ticket.status, ticket.status_name}, {command.status, name}
        if (
            flow is not None
            and not stays
            and not any(after & flow.allowed.get(each, frozenset()) for each in before if each)
        ):
            told = f"{ticket.status_name or ticket.status} cannot become {name or command.status}"
            return f"{told}: the flow {flow.name} of team {ticket.team} does not allow it"
        return self._refusal_of_solution(command, flow, ticket)

    def _refusal_of_solution(self, command: SetStatus, flow: Flow | None, ticket: TicketSummary) -> str:
        ends = command.status in ENDED
        if not ends and (command.resolution_code or command.cause):
            return "resolution_code and cause go with the status solved or closed"
        if command.resolution_code is not None and command.resolution_code not in self.resolution_codes:
            return f"resolution_code: {command.resolution_code!r} is not in the taxonomy{_known(self.resolution_codes)}"
        if command.cause is not None and command.cause not in self.causes:
            return f"cause: {command.cause!r} is not in the taxonomy{_known(self.causes)}"
        coded = command.resolution_code is not None or ticket.resolution_code is not None
        # What was solved before the flow asked for a code may be closed; spam was never a problem to be solved.
        free = ticket.spam or (command.status is Status.CLOSED and ticket.status is Status.SOLVED)
        if ends and flow is not None and flow.resolution_code_required and not (coded or free):
            asked = f"resolution_code: the flow {flow.name} asks for one before a ticket is solved or closed"
            return f"{asked}{_known(self.resolution_codes)}"
        return ""

    def refusal_of_fields(self, values: Mapping[str, FieldValue | None]) -> str:
        """Return which field does not exist or has a value of another type, or nothing."""
        for name, value in values.items():
            kind = self.fields.get(name)
            if kind is None:
                return f"fields.{name}: there is no such field in the configuration"
            if value is not None and not fits(value, kind.type, kind.choices):
                told = f"one of {', '.join(kind.choices)}" if kind.choices else f"a {kind.type}"
                return f"fields.{name}: {value!r} is not {told}"
        return ""

    def fitting_fields(self, values: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
        """Return those that exist and have the type they are set to: what another ticket has may be older."""
        return {name: value for name, value in values.items() if not self.refusal_of_fields({name: value})}


def _known(words: frozenset[str]) -> str:
    """How a refusal goes on: with the words that there are, or the first of very many."""
    return f"; there are {', '.join(sorted(words)[:MOST_NAMED])}" if words else "; there is none yet"
