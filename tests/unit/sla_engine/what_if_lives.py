"""Random lives of tickets, lived by the engine, and their clocks in a form that can be compared."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from sla_engine.domain.acts import NO_ACTS, History, read_history
from sla_engine.domain.policies import Policies
from sla_engine.domain.rehearsal import Rehearsal
from sla_engine.domain.ticket import Ticket
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, TICKET_ID, Case, a_policy, moment, policies_of
from tests.unit.sla_engine.escalation_case import PEOPLE, a_step
from ticket_contracts.actions import ChangeTags, MarkSpam, Snooze
from ticket_contracts.exchanges import FinishMerge, Merge, UndoMerge
from ticket_contracts.messages import CallRecord
from ticket_contracts.tickets import TicketFact
from ticket_contracts.vocabulary import (
    Automation,
    Channel,
    MessageKind,
    Metric,
    Priority,
    Status,
)

START = moment("fri 08:00")
UNTIL = START + timedelta(days=90)
CALLS = [
    CallRecord(call_id="1", direction=direction, answered=answered, caller="1", callee="2", started_at=START, seconds=9)
    for direction in ("inbound", "outbound")
    for answered in (True, False)
]

steps = st.lists(
    st.tuples(
        st.integers(0, 6 * 60),  # minutes since the step before
        st.integers(0, 90),  # of them the command was dated back: a message that was long on its way
        st.one_of(
            st.tuples(st.just("receive"), st.sampled_from([*Automation])),
            st.tuples(st.just("call"), st.sampled_from(CALLS)),
            st.tuples(st.just("revise"), st.sampled_from([MessageKind.EDITED, MessageKind.DELETED])),
            st.tuples(st.just("reply"), st.sampled_from([AGENT, MACHINE])),
            st.tuples(st.just("note"), st.none()),
            st.tuples(st.just("status"), st.sampled_from([*Status])),
            st.tuples(st.just("priority"), st.sampled_from([*Priority])),
            st.tuples(st.just("team"), st.sampled_from(["service", "experts"])),
            st.tuples(st.just("spam"), st.booleans()),
            st.tuples(st.just("snooze"), st.integers(1, 600)),
            st.tuples(st.just("merge"), st.booleans()),
            st.tuples(st.just("tags"), st.sampled_from(["vip", "slow"])),
        ),
    ),
    min_size=4,
    max_size=25,
)
Script = list[tuple[int, int, tuple[str, Any]]]
COMPARED = {
    "metric",
    "cycle",
    "status",
    "policy",
    "policy_version",
    "calendar",
    "target_seconds",
    "used_seconds",
    "used_microseconds",
    "counted_from",
    "paused_at",
    "started_at",
    "due_at",
    "stopped_at",
    "breached_at",
    "cancel_reason",
}
TELLING = (
    a_step("75", percent=75),
    a_step("late", metric=Metric.UPDATE),
    a_step("late again", metric=Metric.NEXT_RESPONSE, after=timedelta(minutes=50)),
    a_step("late by night", metric=Metric.RESOLUTION, after=timedelta(hours=5), out_of_hours=True),
)
policy_options = st.fixed_dictionaries(
    {
        "on_reopen": st.sampled_from(["new_cycle", "continue", "ignore"]),
        "on_priority": st.sampled_from(["from_start", "from_now", "reset"]),
        "pauses": st.sampled_from([frozenset(), frozenset({Metric.RESOLUTION, Metric.UPDATE}), frozenset(Metric)]),
        "calendar": st.sampled_from(["office", "always"]),
        "call_counts_as_reply": st.booleans(),
        "steps": st.sampled_from([(), TELLING]),
    }
)
openings = st.sampled_from(
    [(Priority.NORMAL, Automation.HUMAN), (Priority.URGENT, Automation.HUMAN), (Priority.LOW, Automation.HUMAN)] * 2
    + [(Priority.HIGH, Automation.HUMAN), (None, Automation.HUMAN), (Priority.NORMAL, Automation.BOUNCE)]
)
EVERY_METRIC = {
    metric: {each: hours * seconds for each, seconds in zip(Priority, (7200, 3600, 2400, 1800), strict=True)}
    for metric, hours in zip(Metric, (1, 2, 4, 8), strict=True)
}
FOR_EXPERTS = {metric: {Priority.NORMAL: 3 * 3600, Priority.HIGH: 3600} for metric in Metric}
FOR_VIPS = {Metric.FIRST_RESPONSE: dict.fromkeys(Priority, 900), Metric.RESOLUTION: dict.fromkeys(Priority, 7200)}


def three_policies(**options: Any) -> Policies:
    """One for a team, one for a tag, one for everybody else, which has the options."""
    return policies_of(
        a_policy(name="experts", order=0, teams=frozenset({"experts"}), calendar="always", targets=FOR_EXPERTS),
        a_policy(name="vip", order=1, tags=frozenset({"vip"}), targets=FOR_VIPS),
        a_policy(order=2, targets=EVERY_METRIC, **options),
        people=PEOPLE,
    )


def live(
    script: Script,
    policies: Policies,
    priority: Priority | None = Priority.NORMAL,
    automation: Automation = Automation.HUMAN,
    by_agent: dict[str, Any] | None = None,
    *,
    punctual: bool = False,
) -> Case:
    """Live a script under the policies; `by_agent` is what an agent opens the ticket with.

    `punctual`: timers fire before each command, and only messages come late; else all commands are dated back.
    """
    case = Case(policies)
    if by_agent is None:
        case.receive(START, priority=priority, automation=automation)
    else:
        case.open_by_agent(START, **by_agent)
    at = START
    for number, (minutes, late, (kind, argument)) in enumerate(script, start=2):
        at += timedelta(minutes=minutes)
        dated = max(START, at - timedelta(minutes=late))
        if punctual:
            case.pass_time(at)
        if punctual and kind == "receive":
            case.receive(dated, number, automation=argument, appended_at=at)
        elif punctual and kind == "call":
            case.receive(dated, number, channel=Channel.PHONE, call=argument, appended_at=at)
        else:
            take(case, kind, argument, at if punctual else dated, number)
    case.pass_time(at + timedelta(days=60))
    return case


def take(case: Case, kind: str, argument: Any, at: datetime, number: int) -> None:
    """Let one step of a script happen."""
    about = {"ticket_id": TICKET_ID, "actor": AGENT}
    match kind:
        case "receive":
            case.receive(at, number, automation=argument)
        case "call":
            case.receive(at, number, channel=Channel.PHONE, call=argument)
        case "revise":
            case.receive(at, number, kind=argument)
        case "reply":
            case.reply(at, actor=argument)
        case "note":
            case.note(at)
        case "status":
            case.set_status(argument, at)
        case "priority":
            case.set_priority(argument, at)
        case "team":
            case.assign(argument, at)
        case "spam":
            case.ask(MarkSpam(**about, spam=argument), at)
        case "snooze":
            case.ask(Snooze(**about, until=at + timedelta(minutes=argument)), at)
        case "tags":
            case.ask(ChangeTags(**about, add=(argument,)), at)
        case "merge" if argument:
            other = CUSTOMER_ID  # any id but its own
            case.ask(Merge(**about, target_id=other), at, f"merge {number}")
            case.ask(FinishMerge(**about, target_id=other, merge_id=f"merge {number}"), at)
        case "merge":
            case.ask(UndoMerge(**about), at)


def stored(facts: list[TicketFact]) -> History:
    """Return what the command reads of these facts."""
    rows = [f'["{fact.event_type}",{fact.encode().decode()}]' for fact in facts if fact.event_type not in NO_ACTS]
    return read_history(f"[{','.join(rows)}]")


def told(ticket: Ticket) -> list[dict[str, object]]:
    """Return the clocks without what only the record knows: warnings, steps and causes."""
    return [clock.model_dump(include=COMPARED) for clock in ticket.clocks]


def rehearsed(ticket: Rehearsal) -> list[dict[str, object]]:
    """Return the same of clocks that were only rehearsed."""
    for clock in ticket.clocks:
        clock.settle()
    return [
        {
            "metric": clock.metric,
            "cycle": clock.cycle,
            "status": clock.status,
            "policy": clock.policy.name,
            "policy_version": clock.policy.version,
            "calendar": clock.calendar.name,
            "target_seconds": clock.target_seconds,
            "used_seconds": clock.used // timedelta(seconds=1),
            "used_microseconds": clock.used.microseconds,
            "counted_from": clock.counted_from,
            "paused_at": clock.paused_at,
            "started_at": clock.started_at,
            "due_at": clock.due_at,
            "stopped_at": clock.stopped_at,
            "breached_at": clock.breached_at,
            "cancel_reason": clock.cancel_reason,
        }
        for clock in ticket.clocks
    ]
