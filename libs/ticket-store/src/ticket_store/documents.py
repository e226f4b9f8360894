"""The kinds of configuration documents. Unknown fields are refused: a typing error must not silently do nothing."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ticket_contracts.vocabulary import Channel, Metric, Priority, Status
from ticket_store.written_times import written_out

MAX_NAME = 100  # characters

Label = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]

_DURATION = r"^\d+(s|m|h|bd)$"
_INTERVAL = r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$"  # \d takes the digits of every script; these are compared as text
_STEP = r"^(warning:\d{1,2}|breach(\+\d+(s|m|h|bd))?)$"

FORMS = {
    _DURATION: "a number and its unit: 30m, 4h or 2bd",
    _INTERVAL: "two times of a day: 09:00-12:30",
    _STEP: "warning:80, breach or breach+2h",
}
"""What has a form of its own, by its pattern, in words."""

Duration = Annotated[str, Field(pattern=_DURATION, description="30m, 4h, 2bd (business days); s for demos")]
Interval = Annotated[str, Field(pattern=_INTERVAL, description="09:00-12:30; 22:00-06:00 ends on the next day")]
_WRITTEN_OUT = written_out("write it out: a day as 2026-10-01, a time as 2026-10-01T09:00:00+08:00")
Day = Annotated[date, _WRITTEN_OUT]
Moment = Annotated[datetime, _WRITTEN_OUT]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)


class Document(BaseModel):
    """Base of all documents; (kind, name) identifies one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]

    name: Label


class Brand(Document):
    """A face of the organisation towards customers."""

    kind: ClassVar[str] = "brand"

    display_name: Label


class Agent(Document):
    """A person who answers customers."""

    kind: ClassVar[str] = "agent"

    display_name: Label
    email: Label


class Team(Document):
    """A queue and the agents who work it, in rotation order."""

    kind: ClassVar[str] = "team"

    display_name: Label
    members: tuple[Label, ...] = ()
    leads: tuple[Label, ...] = Field(default=(), description="agents who are told when the team's promises break")
    triage: bool = Field(default=False, description="exactly one team takes what no rule matched")


class Group(Document):
    """People who are told together, whatever their team: the management, the duty rota."""

    kind: ClassVar[str] = "group"

    display_name: Label
    members: tuple[Label, ...] = ()
    addresses: tuple[Label, ...] = Field(default=(), description="e-mail addresses of people who are no agents")


class Calendar(Document):
    """Business hours: several intervals a day, in the calendar's own zone."""

    kind: ClassVar[str] = "calendar"

    zone: Label = "UTC"
    week: dict[Weekday, tuple[Interval, ...]]
    country: str | None = Field(default=None, description="ISO 3166 code for `holidays`; None = no public holidays")
    subdivision: str | None = Field(default=None, description="its state or province, such as BY of DE")
    closed: tuple[Day, ...] = Field(default=(), description="own closures")
    working: dict[Day, tuple[Interval, ...]] = Field(
        default_factory=dict, description="dates with hours of their own: worked holidays and weekends, half days"
    )


class Match(BaseModel):
    """Conditions of a policy; all that are given must hold, an empty list always holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    brands: tuple[Label, ...] = ()
    channels: tuple[Channel, ...] = ()
    teams: tuple[Label, ...] = ()
    tags: tuple[Label, ...] = Field(default=(), description="any of these")


class Recipient(BaseModel):
    """Whom an escalation tells: a role of the ticket, or somebody by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: Literal["assignee", "team-leads", "watchers", "group", "agent"]
    name: Label | None = Field(default=None, description="of the group or the agent; none for a role")


class EscalationStep(BaseModel):
    """What happens at a point of a clock's life, once (rule 45).

    `at` is `warning:75`, `breach` or `breach+2h`. Time after the breach is business time of the policy's calendar, so
    that a step waits for the opening; with `out_of_hours` it is time of the wall clock.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Label
    metric: Metric
    at: Annotated[str, Field(pattern=_STEP)]
    notify: tuple[Recipient, ...] = ()
    reassign_team: Label | None = None
    reassign_to: Label | None = Field(default=None, description="an agent")
    raise_priority: bool = Field(default=False, description="by one grade, up to urgent")
    out_of_hours: bool = False


class Policy(Document):
    """An SLA policy; the first match in ascending `order` wins."""

    kind: ClassVar[str] = "policy"

    order: int
    effective_from: Moment | None = Field(default=None, description="tickets opened earlier do not get it (rule 29)")
    match: Match = Match()
    calendar: Label
    targets: dict[Metric, dict[Priority, Duration]]
    warnings: tuple[Annotated[int, Field(gt=0, lt=100)], ...] = (50, 75, 90)
    pause_on: tuple[Status, ...] = (Status.PENDING, Status.ON_HOLD)
    pauses: tuple[Metric, ...] = Field(default=(Metric.RESOLUTION, Metric.UPDATE), description="rule 18")
    call_counts_as_reply: bool = Field(default=False, description="rule 3: an answered call meets first_response")
    on_reopen: Literal["new_cycle", "continue", "ignore"] = Field(default="new_cycle", description="rule 22")
    on_priority: Literal["from_start", "from_now", "reset"] = Field(default="from_start", description="rule 28")
    escalations: tuple[EscalationStep, ...] = ()

    @field_validator("warnings")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))


class RoutingEffect(BaseModel):
    """What a matching rule sets; later rules override team and priority, tags add up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    team: Label | None = None
    priority: Priority | None = None
    tags: tuple[Label, ...] = ()
    spam: bool = Field(default=False, description="recorded, but no clock starts and nobody is assigned (rule 27)")


class RoutingRule(BaseModel):
    """One rule: a CEL condition over `message` and what it sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Label
    when: Annotated[str, Field(max_length=2000)]
    set: RoutingEffect
    stop: bool = Field(default=False, description="no later rule is tried")


class Routing(Document):
    """The ordered rules of the installation; the document is named `rules`."""

    kind: ClassVar[str] = "routing"

    rules: tuple[RoutingRule, ...]
    default_priority: Priority = Priority.NORMAL
