"""Documents of how an organisation works: its words for statuses and causes, its fields, flows and automation."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from ticket_contracts.contract import FieldValue
from ticket_contracts.vocabulary import Channel, Grade, Priority, Status
from ticket_store.documents import Document, Duration, Label, Recipient


class Labels(BaseModel):
    """What people read, in each language; a missing one falls back on the other."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    en: Label | None = None
    zh: Label | None = None


class StatusName(Document):
    """An organisation's own status: a finer word for one of the fixed categories, such as `waiting-for-parts`."""

    kind: ClassVar[str] = "status"

    category: Status
    labels: Labels = Labels()


class Flow(Document):
    """Which status may follow which, for some teams or all; without a flow the categories' own rules hold alone.

    Keys and values are names of status documents or words of the categories. A flow can only narrow those rules.
    """

    kind: ClassVar[str] = "flow"

    teams: tuple[Label, ...] = Field(default=(), description="none = every team that no other flow names")
    allowed: dict[Label, tuple[Label, ...]]
    resolution_code_required: bool = Field(
        default=False, description="to be solved or closed a ticket needs one, spam does not"
    )


class CustomField(Document):
    """A typed field of tickets."""

    kind: ClassVar[str] = "field"

    type: Literal["text", "number", "boolean", "date", "choice"]
    choices: tuple[Label, ...] = Field(default=(), description="of a choice, in the order in which they are shown")
    labels: Labels = Labels()


class Code(BaseModel):
    """One entry of a taxonomy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Label
    labels: Labels = Labels()


class Taxonomy(Document):
    """The installation's words for how tickets are solved and why problems happen; named `taxonomy`."""

    kind: ClassVar[str] = "taxonomy"

    resolution_codes: tuple[Code, ...] = ()
    causes: tuple[Code, ...] = ()


class PriorityMatrix(Document):
    """Which priority follows from impact (rows) and urgency (columns); named `priorities`."""

    kind: ClassVar[str] = "matrix"

    priorities: dict[Grade, dict[Grade, Priority]]


RULE_VARIABLES = ("ticket", "fact", "message")
"""What the condition of an automation rule may look at; a rule on time has no fact and no message."""


class Waiting(BaseModel):
    """A condition on time: the ticket has been in the status for so long, without a change in between."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status
    duration: Duration
    calendar: Label | None = Field(default=None, description="counts business time; none = the wall clock")


class AutomationEffect(BaseModel):
    """What a rule does, in this order; each a command of the rule's own, so that the timeline names the rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Status | None = None
    priority: Priority | None = None
    team: Label | None = None
    assignee: Label | None = None
    add_tags: tuple[Label, ...] = Field(default=(), max_length=50)
    remove_tags: tuple[Label, ...] = Field(default=(), max_length=50)
    fields: dict[Label, FieldValue] = Field(default_factory=dict, max_length=50)
    note: Annotated[str, Field(max_length=4000)] = ""
    reply: Annotated[str, Field(max_length=4000)] = Field(default="", description="public, written by a machine")
    notify: tuple[Recipient, ...] = ()


class Automation(Document):
    """If this happens (`on`) or has lasted (`after`), and the condition holds, then do that. In ascending `order`."""

    kind: ClassVar[str] = "automation"

    order: int
    on: tuple[Label, ...] = Field(default=(), description="facts by their short names, such as `message-added`")
    after: Waiting | None = None
    when: Annotated[str, Field(max_length=2000)] = "true"
    channels: tuple[Channel, ...] = ()
    then: AutomationEffect
    stop: bool = Field(default=False, description="no later rule is tried on the same fact")


WORKFLOW_KINDS: tuple[type[Document], ...] = (
    StatusName,
    Flow,
    CustomField,
    Taxonomy,
    PriorityMatrix,
    Automation,
)
