"""A command with what only its record knows, and the refusal of one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from sla_engine.domain.conversation import EARLIEST, LATEST, message_time
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies
from ticket_contracts.commands import Command, ReceiveMessage
from ticket_contracts.tickets import MessageEntry


@dataclass(frozen=True, slots=True)
class Request:
    """A command with what only its record knows. `number` is drawn beforehand and used when it opens a ticket.

    `entries` are the messages that a Split names, read beforehand.
    """

    id: str
    command: Command
    appended_at: datetime
    number: int = 0
    entries: tuple[MessageEntry, ...] = ()

    @property
    def at(self) -> datetime:
        """Event time: of a customer's message when it reached us, of anything else when the broker appended it.

        No message reached us after it was appended: an edge whose clock is ahead must not give the team more time.
        One that claims a time out of all calendars reached us when it was appended.
        """
        appended_at = self.appended_at.astimezone(UTC)
        if isinstance(self.command, ReceiveMessage) and EARLIEST <= self.command.message.received_at <= LATEST:
            return min(message_time(self.command.message), appended_at)
        return appended_at


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing happens; the caller is told why."""

    outcome: Literal["rejected", "conflict", "expired", "no-op"]
    reason: str


CLOSED = Rejected("rejected", "the ticket is closed; a follow-up of it, by an agent or a customer, goes on")

Handler: TypeAlias = Callable[[Draft, Any, Policies], Rejected | None]
"""Adds to the draft what a command of its type makes true of a ticket that exists."""
