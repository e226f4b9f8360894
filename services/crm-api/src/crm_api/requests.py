"""Commands as a caller writes them; everything else of a command (actor, patience, version) is ours to fill in."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ticket_contracts import commands
from ticket_contracts.vocabulary import Priority, Status
from ticket_store.written_times import written_out

_LINE = r"[^\x00-\x1f\x7f]"
_WORDS = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_VISIBLE = r"[^\x00-\x1f\x7f\s]"

Text = Annotated[str, StringConstraints(max_length=60_000, pattern=f"^{_WORDS}*{_VISIBLE}{_WORDS}*$")]
"""Not blank, and without control characters but tab and line ends: Postgres refuses NUL, and JSON writes each of the
others in six bytes, so that the event of a long text would not fit MAX_EVENT_BYTES. This one does, in any script."""

Label = Annotated[str, StringConstraints(max_length=100, pattern=f"^{_VISIBLE}({_LINE}*{_VISIBLE})?$")]
"""The name of a team or an agent. With a blank around it, it would be another name that looks the same."""


ChannelId = Annotated[str, StringConstraints(max_length=1000, pattern=f"^{_VISIBLE}({_LINE}*{_VISIBLE})?$")]
"""What a channel calls a message."""

_TIME = re.compile(r"(19[7-9]|[2-8][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:", re.ASCII)

Moment = Annotated[
    AwareDatetime, written_out("Input should be a time with an offset, from the year 1970 to 8999", _TIME)
]
"""A time of RFC 3339 in a year in which all sums of times can be done, in any zone."""


class Request(BaseModel):
    """Base of all request bodies; an unknown field is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SetStatus(Request):
    """Move the ticket to another status, perhaps by a name of the organisation's own.

    `resolution_code` and `cause` are words of the taxonomy and go with `solved`.
    """

    type: Literal["set-status"]
    status: Status
    status_name: Label | None = None
    resolution_code: Label | None = None
    cause: Label | None = None

    def command(self, envelope: "CommandEnvelope") -> commands.Command:
        return commands.SetStatus(
            **envelope.fields(),
            status=self.status,
            status_name=self.status_name,
            resolution_code=self.resolution_code,
            cause=self.cause,
        )


class SetPriority(Request):
    """Grade the ticket anew."""

    type: Literal["set-priority"]
    priority: Priority

    def command(self, envelope: "CommandEnvelope") -> commands.Command:
        return commands.SetPriority(**envelope.fields(), priority=self.priority)


class Assign(Request):
    """Hand the ticket over; without `team` it stays in its team, without `assignee` it returns to the queue."""

    type: Literal["assign"]
    team: Label | None = None
    assignee: Label | None = None

    def command(self, envelope: "CommandEnvelope") -> commands.Command:
        return commands.Assign(**envelope.fields(), team=self.team, assignee=self.assignee)


class AddNote(Request):
    """Add a private note; the customer never sees it."""

    type: Literal["note"]
    text: Text

    def command(self, envelope: "CommandEnvelope") -> commands.Command:
        return commands.AddNote(**envelope.fields(), text=self.text)


class Reply(Request):
    """Record an answer to the customer, which stops its clocks. Who sends it tells the id that the channel gave it."""

    type: Literal["reply"]
    text: Text
    provider_id: ChannelId | None = Field(
        default=None, description="such as `wamid.…`: what the channel's receipts call the answer, see `delivery`"
    )

    def command(self, envelope: "CommandEnvelope") -> commands.Command:
        return commands.Reply(**envelope.fields(), text=self.text, provider_id=self.provider_id or "")


class CommandEnvelope(BaseModel):
    """What the API adds to every command."""

    ticket_id: UUID
    actor: commands.Actor
    not_after: datetime
    expected_version: int | None

    def fields(self) -> dict[str, object]:
        """Return the envelope as keyword arguments of a command."""
        return {name: getattr(self, name) for name in type(self).model_fields}
