"""Who is told: from the roles and names of a rule to people with an address."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ticket_contracts.automation import MOST_ADDRESSEES, Addressee
from ticket_contracts.tickets import TicketSummary


@dataclass(frozen=True, slots=True)
class Audience:
    """A role of the ticket (`assignee`, `team-leads`, `watchers`), or a `group` or an `agent` by name."""

    to: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class People:
    """The people of one configuration version: agents by name, the agents who lead a team, the people of a group."""

    agents: Mapping[str, Addressee] = field(default_factory=dict)
    leads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[Addressee, ...]] = field(default_factory=dict)

    def resolve(self, audiences: Iterable[Audience], ticket: TicketSummary) -> tuple[Addressee, ...]:
        """Return everybody who is meant, once, with all roles; who is gone from the configuration is left out."""
        found: dict[str | None, Addressee] = {}
        for audience in audiences:
            for person, role in self._behind(audience, ticket):
                known = found.get(person.email, person)
                roles = tuple(dict.fromkeys((*known.roles, role)))
                found[person.email] = (known if known.name else person).model_copy(update={"roles": roles})
        return tuple(found.values())[:MOST_ADDRESSEES]

    def _behind(self, audience: Audience, ticket: TicketSummary) -> Iterator[tuple[Addressee, str]]:
        match audience.to:
            case "assignee":
                yield from self._agents("assignee", ticket.assignee)
            case "team-leads":
                yield from self._agents("team-lead", *self.leads.get(ticket.team, ()))
            case "watchers":
                yield from self._agents("watcher", *ticket.watchers)
            case "agent":
                yield from self._agents("agent", audience.name)
            case "group":
                yield from ((each, f"group:{audience.name}") for each in self.groups.get(audience.name or "", ()))

    def _agents(self, role: str, *names: str | None) -> Iterator[tuple[Addressee, str]]:
        yield from ((self.agents[name], role) for name in names if name is not None and name in self.agents)
