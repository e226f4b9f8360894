"""What the API answers about a ticket's promises."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from crm_api.responses import Response
from ticket_contracts.commands import Actor
from ticket_contracts.vocabulary import ClockStatus, Metric

Absence = Literal[
    "spam",
    "no-customer-message",
    "no-priority",
    "no-policy",
    "no-calendar",
    "not-promised",
    "before-first-response",
    "nothing-unanswered",
    "answered-before",
    "ended",
    "not-started",
]


class CausingEvent(Response):
    """What happened on the ticket and moved a clock; its place in the timeline is `version`."""

    version: int
    type: str
    at: AwareDatetime
    actor: Actor
    words: str


class ClockStep(Response):
    """One transition of a clock, told with its cause."""

    version: int
    at: AwareDatetime
    transition: str
    cause: str = Field(description="id of the event behind it; `timer:…` where only time has passed")
    event: CausingEvent | None = Field(description="null where only time has passed or a calendar was edited")
    words: str = Field(description="the step in the language of Accept-Language (zh, en)")


class Holding(Response):
    """Who held the ticket from when to when, of the life of one clock."""

    team: str
    assignee: str | None = Field(description="null: it stood in the team's queue")
    since: AwareDatetime
    until: AwareDatetime | None = Field(description="null: still")
    wall_seconds: int
    business_seconds: int | None = Field(
        description="of these the clock counted so many, by the calendar as it is today; null: it cannot be used"
    )
    words: str


class ClockView(Response):
    """One clock and its story."""

    metric: Metric
    cycle: int
    status: ClockStatus
    policy: str
    policy_version: int
    calendar: str
    target_seconds: int
    used_seconds: int = Field(description="business time used until its end, of an open clock until `as_of`")
    started_at: AwareDatetime
    due_at: AwareDatetime | None
    stopped_at: AwareDatetime | None
    breached_at: AwareDatetime | None
    words: str = Field(description="how it stands")
    notes: list[str] = Field(description="what else must be known, such as a due time past the known public holidays")
    story: list[ClockStep]
    held: list[Holding]


class AbsentClock(Response):
    """A promise that is not timed, and why not."""

    metric: Metric
    reason: Absence
    words: str


class SlaView(Response):
    """All clocks of a ticket, and why there is none of the other metrics."""

    ticket_id: UUID
    version: int
    as_of: AwareDatetime
    clocks: list[ClockView]
    absent: list[AbsentClock]
    notes: list[str]
    no_clock_reason: str = Field(description="what the engine noted when it opened the ticket without any clock")
