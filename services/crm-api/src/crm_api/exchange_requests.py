"""Requests that concern another ticket: links, merges, splits, follow-ups."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from crm_api.opening_requests import AgentsWords
from crm_api.requests import CommandEnvelope, Label, Request, Text
from ticket_contracts import commands, exchanges
from ticket_contracts.vocabulary import LinkKind, Priority


class LinkTickets(Request):
    """Say what another ticket is to this one; the other one gets the reverse."""

    type: Literal["link"]
    other_id: UUID
    kind: LinkKind

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return exchanges.LinkTickets(**envelope.fields(), other_id=self.other_id, kind=self.kind)


class UnlinkTickets(Request):
    """Remove a link on both sides."""

    type: Literal["unlink"]
    other_id: UUID
    kind: LinkKind

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return exchanges.UnlinkTickets(**envelope.fields(), other_id=self.other_id, kind=self.kind)


class Merge(Request):
    """Become part of another ticket. `applied` means begun: read the ticket until `merging_into` is null again."""

    type: Literal["merge"]
    target_id: UUID

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return exchanges.Merge(**envelope.fields(), target_id=self.target_id)


class UndoMerge(Request):
    """Stand alone again, within a day."""

    type: Literal["undo-merge"]

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return exchanges.UndoMerge(**envelope.fields())


class Split(Request):
    """Move messages into a new ticket, which is linked as `related`; a merge puts both together again."""

    type: Literal["split"]
    message_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]
    subject: Annotated[Text, Field(max_length=1000)] | None = None
    team: Label | None = None

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return exchanges.Split(
            **envelope.fields(), message_ids=self.message_ids, subject=self.subject or "", team=self.team
        )


class FollowUp(AgentsWords):
    """Open the follow-up of a closed ticket, which `Location` names.

    It has the requester, tags and fields of the closed ticket, and what is left out here, too; without `assignee` it
    stands in the team's queue. With a `call` it came by phone.
    """

    type: Literal["follow-up"]
    text: Annotated[
        Text, Field(max_length=exchanges.MOST_FOLLOW_UP_TEXT, description="the first entry of the conversation")
    ]
    subject: Annotated[Text, Field(max_length=1000)] | None = None
    team: Label | None = None
    assignee: Label | None = None
    priority: Priority | None = None

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return exchanges.FollowUp(
            **envelope.fields(),
            text=self.text,
            public=self.public,
            call=self.call and self.call.noted(),
            subject=self.subject or "",
            team=self.team,
            assignee=self.assignee,
            priority=self.priority,
        )


ExchangeRequest = LinkTickets | UnlinkTickets | Merge | UndoMerge | Split | FollowUp
