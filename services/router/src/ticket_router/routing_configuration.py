"""The routing rules in force, made ready once per configuration version."""

import structlog
from pydantic import ValidationError

from ticket_router.domain.classification import Rule, RuleBook, Rules
from ticket_store.configuration import Configuration, load, read_head
from ticket_store.configuration import Connection as ConfigurationConnection
from ticket_store.configuration_checks import ROUTING_NAME
from ticket_store.documents import Routing, Team

log = structlog.get_logger("routing_configuration")


class ConfigurationMissing(OSError):
    """Nothing readable says where tickets go; messages wait in their topic until one is applied.

    An OSError, because the runtime tries those again for ever, visibly. A guessed team would stay with the ticket, and
    pydantic's own error would make the runtime look for the fault in the messages.
    """


class RoutingConfiguration:
    """Holds the newest rule book; what it holds is only ever committed configuration."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._book: RuleBook | None = None

    async def rule_book(self, connection: ConfigurationConnection) -> RuleBook:
        """Return the rule book of the version that this transaction sees.

        :raises ConfigurationMissing: there is none with a triage team, or none that this release can read.
        """
        head = await read_head(connection)
        if self._book is None or head != self._version:
            configuration = await _load(connection)
            self._book = RuleBook(rules_of(configuration))
            self._version = configuration.version
            log.info("routing rules loaded", version=self._version, unusable=self._book.unusable())
        return self._book


async def _load(connection: ConfigurationConnection) -> Configuration:
    try:
        return await load(connection)
    except ValidationError as error:
        places = "; ".join(".".join(map(str, each["loc"])) for each in error.errors(include_input=False)[:5])
        raise ConfigurationMissing(f"this release cannot read the configuration: {error.title} {places}") from error


def rules_of(configuration: Configuration) -> Rules:
    """Take from the configuration what routing needs; a configuration without rules sends all to triage.

    :raises ConfigurationMissing: there is no triage team.
    """
    teams = {name: versioned.document for name, versioned in configuration.of(Team).items()}
    triage = sorted(name for name, team in teams.items() if team.triage)
    if not triage:
        raise ConfigurationMissing(
            f"configuration version {configuration.version} has no triage team; "
            "`firebreak up` or `deploy/prepare.py` applies the first one"
        )
    routing = configuration.get(Routing, ROUTING_NAME)
    document = routing.document if routing else Routing(name=ROUTING_NAME, rules=())
    return Rules(
        rules=tuple(
            Rule(rule.name, rule.when, rule.set.team, rule.set.priority, rule.set.tags, rule.stop, rule.set.spam)
            for rule in document.rules
        ),
        teams={name: team.members for name, team in teams.items()},
        triage_team=triage[0],
        default_priority=document.default_priority,
    )
