"""Letting time pass over a ticket, and carrying out at once what its escalation steps ask for."""

from collections.abc import Mapping
from datetime import datetime

from sla_engine.domain import timing
from sla_engine.domain.draft import Draft, Wish
from sla_engine.domain.grading import set_priority
from sla_engine.domain.holding import assign
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Handler
from ticket_contracts.commands import Assign, Command, SetPriority

_HANDLERS: Mapping[type[Command], Handler] = {Assign: assign, SetPriority: set_priority}
"""What a step may ask for."""


def settle(draft: Draft, policies: Policies, until: datetime) -> None:
    """Add all that is due up to `until`, with what it sets off.

    A call ends: a step runs once for a clock and for all that take its place. What an automation rule changes
    later may start clocks with steps of their own; how often it does is bounded by the guards of rules (`held_back`).
    """
    timing.bring_forward(draft, policies, until)
    while draft.wishes:
        _carry_out(draft, policies, draft.wishes.pop(0))
        timing.bring_forward(draft, policies, until)


def _carry_out(draft: Draft, policies: Policies, wish: Wish) -> None:
    before = draft.at, draft.seen_at, draft.actor, draft.cause
    draft.at = draft.seen_at = wish.at
    draft.actor, draft.cause = wish.command.actor, wish.cause
    refusal = _HANDLERS[type(wish.command)](draft, wish.command, policies)
    assert refusal is None, refusal  # only a closed ticket refuses, and that has no clock that could escalate
    draft.at, draft.seen_at, draft.actor, draft.cause = before
