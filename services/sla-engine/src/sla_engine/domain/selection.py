"""Which policy a ticket lives under when it changes hands, and when somebody asks for all to be matched anew."""

from sla_engine.domain import clock as clocks
from sla_engine.domain import timing
from sla_engine.domain.cycles import missing, start_missing, start_next_response
from sla_engine.domain.draft import Draft
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.request import Rejected
from ticket_contracts.statuses import ENDED
from ticket_contracts.tickets import ClockRecalculated, ClockStarted, ClockState
from ticket_contracts.upkeep import Recalculate, Reevaluate, TicketReevaluated
from ticket_contracts.vocabulary import ClockStatus, Status

SUPERSEDED = "superseded"


def follow_team(draft: Draft, policies: Policies) -> None:
    """Let a change of team select another policy (rule 31); the same policy keeps the version that the ticket holds."""
    policy = policies.match(draft.ticket.summary)
    if (policy.name if policy else None) != draft.ticket.policy:
        _select(draft, policies, policy, "")


def reevaluate(draft: Draft, command: Reevaluate, policies: Policies) -> Rejected | None:
    """Match the ticket with the policies of today, whatever it holds (rule 32)."""
    ticket = draft.ticket
    if ticket.summary.status is Status.CLOSED or ticket.summary.spam:
        return Rejected("no-op", "a closed ticket and spam keep what they had")
    policy = policies.match(ticket.summary)
    if (policy and (policy.name, policy.version)) != (ticket.policy and (ticket.policy, ticket.policy_version)):
        _select(draft, policies, policy, command.run_id)
    return None


def recalculate(draft: Draft, command: Recalculate, policies: Policies) -> None:
    """Work what is due out under the calendars as they are now; finished clocks stay (rule 34)."""
    for clock in draft.ticket.clocks:
        late = clock.status is ClockStatus.BREACHED and clock.next_step is not None
        if not (late or clock.status is ClockStatus.RUNNING) or clock.calendar not in command.calendars:
            continue
        policy, calendar = policies.of_clock(clock), policies.calendar_of(clock)
        anew = clocks.recalculate(clock, policy, calendar, draft.at, draft.cause)
        if (anew.due_at, anew.next_step_at) != (clock.due_at, clock.next_step_at):
            draft.turn(ClockRecalculated, anew)
    timing.bring_forward(draft, policies, draft.at)


def _select(draft: Draft, policies: Policies, policy: Policy | None, run_id: str) -> None:
    draft.add(
        TicketReevaluated,
        run_id=run_id,
        policy=policy.name if policy else None,
        policy_version=policy.version if policy else None,
    )
    usable = None if missing(policy, draft.ticket.summary, policies) else policy
    for clock in draft.ticket.clocks:
        if clock.status in timing.UNDECIDED:
            _supersede(draft, policies, clock, usable)
    since = draft.ticket.first_customer_message_at
    if usable is not None and since is not None and draft.ticket.summary.status not in ENDED:
        answered = draft.ticket.answered_at is not None
        start_missing(
            draft, policies, timing.ALL_METRICS - timing.REPLY_METRICS if answered else timing.ALL_METRICS, since
        )
        start_next_response(draft, policies, draft.at)
    timing.bring_forward(draft, policies, draft.at)


def _supersede(draft: Draft, policies: Policies, clock: ClockState, policy: Policy | None) -> None:
    """End a clock for the next one, which goes on with the time used: each part was counted by its own calendar."""
    ended = timing.cancel_clock(draft, policies, clock, SUPERSEDED)
    target = policy.target(clock.metric, draft.ticket.summary.priority) if policy else None
    if policy is None or target is None:
        return
    before = ended.model_copy(update={"paused_at": clock.paused_at})
    calendar = policies.calendars[policy.calendar]
    draft.turn(ClockStarted, clocks.carry_on(before, policy, calendar, target, draft.at, draft.cause))
