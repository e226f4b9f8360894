"""Who is told: the agents, leads and groups of the configuration."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from sla_engine.domain.steps import Recipient
from ticket_contracts.escalations import MOST_ADDRESSEES, Addressee
from ticket_contracts.tickets import TicketSummary

_MOST_BYTES, _MOST_ROLES = 64 * 1024, 20
"""Of all people of one event, and of one person: what a timer makes must fit into an event, or its partition stops."""

_LONGEST_NAME = 200  # characters, in the contract


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who answers customers."""

    display_name: str
    email: str


@dataclass(frozen=True, slots=True)
class Team:
    """A queue and who leads it."""

    display_name: str
    leads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Agents, and addresses of people who are none."""

    members: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


WHOM_A_CLOCK_CONCERNS = (Recipient("assignee"), Recipient("team-leads"))
"""Told of every warning and breach, whether or not the policy has steps."""


@dataclass(frozen=True, slots=True)
class People:
    """All of one configuration version, by name."""

    agents: Mapping[str, Agent] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)

    def resolve(self, recipients: Iterable[Recipient], ticket: TicketSummary) -> tuple[Addressee, ...]:
        """Return the people behind roles and names, each once."""
        return merged(person for recipient in recipients for person in self._behind(recipient, ticket))

    def _behind(self, recipient: Recipient, ticket: TicketSummary) -> Iterator[Addressee]:
        match recipient.to:
            case "assignee" if ticket.assignee:
                yield self._agent(ticket.assignee, "assignee")
            case "team-leads" if ticket.team in self.teams:
                yield from (self._agent(name, "team-lead") for name in self.teams[ticket.team].leads)
            case "watchers":
                yield from (self._agent(name, "watcher") for name in ticket.watchers)
            case "agent" if recipient.name is not None:
                yield self._agent(recipient.name, "agent")
            case "group" if recipient.name is not None and recipient.name in self.groups:
                group, role = self.groups[recipient.name], f"group:{recipient.name}"
                yield from (self._agent(name, role) for name in group.members)
                yield from (Addressee(email=address, roles=(role,)) for address in group.addresses)

    def _agent(self, name: str, role: str) -> Addressee:
        """Return an agent; of one that was archived only the name is left."""
        agent = self.agents.get(name)
        if agent is None:  # another system's agent may have a longer name than ours
            return Addressee(name=name[:_LONGEST_NAME], roles=(role,))
        return Addressee(name=name, display_name=agent.display_name, email=agent.email, roles=(role,))


def merged(people: Iterable[Addressee]) -> tuple[Addressee, ...]:
    """Return everybody once, with all roles; an agent whose address is also in a group is one person."""
    known: dict[str, Addressee] = {}
    for person in people:
        key = person.email or f"agent/{person.name}"
        before = known.setdefault(key, person)
        roles = tuple(dict.fromkeys((*before.roles, *person.roles)))
        known[key] = (before if before.name else person).model_copy(update={"roles": roles})
    return tuple(_fitting(islice(known.values(), MOST_ADDRESSEES)))


def _fitting(people: Iterable[Addressee]) -> Iterator[Addressee]:
    """Yield as many of them, the first first, as are not too large together for an event."""
    size = 0
    for person in people:
        told = person.model_copy(update={"roles": person.roles[:_MOST_ROLES]})
        size += len(told.model_dump_json(exclude_none=True).encode())
        if size > _MOST_BYTES:
            return
        yield told
