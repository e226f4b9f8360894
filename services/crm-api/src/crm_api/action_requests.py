"""Requests of an agent's actions beyond status, priority, holder and words."""

from typing import Annotated, Literal

from pydantic import Field

from crm_api.requests import CommandEnvelope, Label, Moment, Request, Text
from ticket_contracts import actions, commands
from ticket_contracts.vocabulary import Grade

Value = bool | int | Annotated[float, Field(allow_inf_nan=False)] | Annotated[Text, Field(max_length=4000)]
"""As long as `ticket_contracts.contract.FieldValue`: what the contract refuses must be refused here, by its field."""

Names = Annotated[tuple[Label, ...], Field(max_length=50)]


class Classify(Request):
    """Grade by impact and urgency; the configuration's matrix makes a priority of the two."""

    type: Literal["classify"]
    impact: Grade | None = None
    urgency: Grade | None = None

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return actions.Classify(**envelope.fields(), impact=self.impact, urgency=self.urgency)


class ChangeTags(Request):
    """Add and remove tags; what is both is added."""

    type: Literal["tags"]
    add: Names = ()
    remove: Names = ()

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return actions.ChangeTags(**envelope.fields(), add=self.add, remove=self.remove)


class SetFields(Request):
    """Set custom fields of the configuration by name; null empties one."""

    type: Literal["fields"]
    fields: Annotated[dict[Label, Value | None], Field(min_length=1, max_length=50)]

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return actions.SetFields(**envelope.fields(), fields=self.fields)


class Snooze(Request):
    """Take the ticket out of sight until a time or the customer's next message; null wakes it. Clocks go on."""

    type: Literal["snooze"]
    until: Moment | None

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return actions.Snooze(**envelope.fields(), until=self.until)


class ChangeWatchers(Request):
    """Add and remove agents who follow the ticket."""

    type: Literal["watchers"]
    add: Names = ()
    remove: Names = ()

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return actions.ChangeWatchers(**envelope.fields(), add=self.add, remove=self.remove)


class MarkSpam(Request):
    """Spam has no clocks; false brings them back."""

    type: Literal["spam"]
    spam: bool

    def command(self, envelope: CommandEnvelope) -> commands.Command:
        return actions.MarkSpam(**envelope.fields(), spam=self.spam)


ActionRequest = Classify | ChangeTags | SetFields | Snooze | ChangeWatchers | MarkSpam
