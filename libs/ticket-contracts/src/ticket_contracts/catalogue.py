"""Which events stand on which topic: the whole contract in one table."""

from collections.abc import Mapping

from ticket_contracts.actions import ACTION_COMMANDS, ACTION_FACTS
from ticket_contracts.alerts import ALERT_EVENTS
from ticket_contracts.automation import AUTOMATION_FACTS
from ticket_contracts.commands import CORE_COMMANDS
from ticket_contracts.contract import Payload, event_types
from ticket_contracts.dead_letters import DEAD_LETTER_EVENTS
from ticket_contracts.escalations import ESCALATION_FACTS
from ticket_contracts.exchanges import EXCHANGE_COMMANDS, EXCHANGE_FACTS
from ticket_contracts.messages import MESSAGE_EVENTS
from ticket_contracts.openings import OPENING_COMMANDS
from ticket_contracts.tickets import CORE_FACTS
from ticket_contracts.topics import ALERTS, COMMANDS, DEAD_LETTERS, MESSAGES, TICKETS, Topic
from ticket_contracts.upkeep import UPKEEP_COMMANDS, UPKEEP_FACTS

COMMAND_EVENTS = event_types(*CORE_COMMANDS, *OPENING_COMMANDS, *ACTION_COMMANDS, *EXCHANGE_COMMANDS, *UPKEEP_COMMANDS)

TICKET_EVENTS = event_types(
    *CORE_FACTS, *ACTION_FACTS, *EXCHANGE_FACTS, *UPKEEP_FACTS, *ESCALATION_FACTS, *AUTOMATION_FACTS
)

EVENTS_BY_TOPIC: Mapping[Topic, Mapping[str, type[Payload]]] = {
    MESSAGES: MESSAGE_EVENTS,
    COMMANDS: COMMAND_EVENTS,
    TICKETS: TICKET_EVENTS,
    ALERTS: ALERT_EVENTS,
    DEAD_LETTERS: DEAD_LETTER_EVENTS,
}

EVENT_TYPES: Mapping[str, type[Payload]] = {
    name: payload for events in EVENTS_BY_TOPIC.values() for name, payload in events.items()
}
