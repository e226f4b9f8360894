"""Turn agents, teams and groups into those whom the engine tells."""

from sla_engine.domain.people import Agent, Group, People, Team
from ticket_store import documents
from ticket_store.configuration import Configuration


def compile_people(loaded: Configuration) -> People:
    """Compile who is in force."""
    agents = {name: each.document for name, each in loaded.of(documents.Agent).items()}
    teams = {name: each.document for name, each in loaded.of(documents.Team).items()}
    groups = {name: each.document for name, each in loaded.of(documents.Group).items()}
    return People(
        agents={name: Agent(agent.display_name, agent.email) for name, agent in agents.items()},
        teams={name: Team(team.display_name, team.leads) for name, team in teams.items()},
        groups={name: Group(group.members, group.addresses) for name, group in groups.items()},
    )
