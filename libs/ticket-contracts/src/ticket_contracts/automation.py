"""Facts of automation rules: when they wait, when they ran, and what the guards held back."""

from typing import ClassVar, Literal

from pydantic import Field

from ticket_contracts.contract import Contract, Instant, Name
from ticket_contracts.escalations import Addressee, Bilingual
from ticket_contracts.tickets import TicketFact

RULE_ACTOR = "automation:"
"""Begins the actor id of what a rule does; the name of the rule follows."""

MOST_RULES = 500
"""Automation rules of a configuration. Every ticket remembers what each of them did on it, and every fact is held
against the condition of each; what people still can tell apart is far less."""

RuleOutcome = Literal["ran", "passed-over", "failed", "looped", "stopped"]
"""`passed-over`: its time came and the condition did not hold. `failed`: the condition gave no answer. `looped`: it
would have run because of itself, or again to undo what had undone it. `stopped`: it ran too often on this ticket and
rests until it is changed."""


class RuleWait(Contract):
    """A rule that will run at a time, unless the status changes before."""

    rule: Name
    at: Instant


class WaitingBegun(TicketFact):
    """Rules watch how long the ticket stays in its status: since when, and when each of them runs.

    Replaces what was waited for before. It comes again when a rule or its calendar was edited meanwhile.
    """

    event_type: ClassVar[str] = "firebreak.ticket.waiting-begun.v1"

    since: Instant
    waits: tuple[RuleWait, ...] = ()


class HeldRule(Contract):
    """A version of a rule that did not run."""

    rule: Name
    rule_version: int


class RuleRan(TicketFact):
    """A rule was set off; the facts of what it did follow, each by the same actor. `cause` is what set it off.

    `done` and `refused` name its effects, the refused ones with the reason. Outcomes other than `ran` and `passed-over`
    are told once per ticket and version of the rule. What one command holds back of several rules is one fact for each
    outcome: it names the first with its cause and its reason, some others in `also`, and counts all in `held`. Of a
    loop `loops` names all rules, those too that ran, and it is told of all of them.
    """

    event_type: ClassVar[str] = "firebreak.ticket.rule-ran.v1"

    rule: Name
    rule_version: int
    configuration_version: int
    outcome: RuleOutcome
    cause: str = Field(description="id of the fact, or of the moment")
    reason: str = ""
    done: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    notified: tuple[Addressee, ...] = ()
    also: tuple[HeldRule, ...] = Field(default=(), description="other rules that were held back at once, the first")
    held: int = Field(default=1, ge=1, description="how many rules were held back at once; of one that ran always 1")
    loops: tuple[tuple[HeldRule, ...], ...] = Field(
        default=(),
        description="of `looped`: circles of rules that set each other off or undo each other, each rule answering to "
        "the one before it, the first to the last",
    )
    words: Bilingual | None = Field(
        default=None, description="of `stopped` and `looped`, the first time: what to do, for a person"
    )


AUTOMATION_FACTS = (WaitingBegun, RuleRan)
