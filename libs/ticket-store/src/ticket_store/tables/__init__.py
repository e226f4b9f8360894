"""One module per table, naming its one writer; everyone may read. Hot-path SQL stands beside its table."""

from ticket_store.tables import (
    agent_load,
    api_keys,
    clocks,
    command_outcomes,
    configuration_documents,
    configuration_rollouts,
    configuration_versions,
    contacts,
    delivery_receipts,
    file_fetches,
    inbound_messages,
    messages,
    sender_floods,
    threads,
    ticket_events,
    tickets,
)
from ticket_store.tables.metadata import METADATA

__all__ = [
    "METADATA",
    "agent_load",
    "api_keys",
    "clocks",
    "command_outcomes",
    "configuration_documents",
    "configuration_rollouts",
    "configuration_versions",
    "contacts",
    "delivery_receipts",
    "file_fetches",
    "inbound_messages",
    "messages",
    "sender_floods",
    "threads",
    "ticket_events",
    "tickets",
]
