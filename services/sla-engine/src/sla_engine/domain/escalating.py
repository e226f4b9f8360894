"""What an escalation step does: it tells people, hands the ticket over, makes it more pressing (rule 45)."""

from typing import NamedTuple

from sla_engine.domain import clock as clocks
from sla_engine.domain.acts import Doer
from sla_engine.domain.clock import DueTransition
from sla_engine.domain.draft import Draft, Wish
from sla_engine.domain.people import People
from sla_engine.domain.policies import Policies
from sla_engine.domain.steps import Step, named
from ticket_contracts.commands import Actor, Assign, Command, SetPriority
from ticket_contracts.escalations import TicketEscalated
from ticket_contracts.tickets import TicketSummary
from ticket_contracts.vocabulary import ActorKind, Priority

ACTOR_PREFIX = "escalation:"
"""Begins the machine's name in the facts of a step: `escalation:<policy>/<step>`."""

_LONGEST_ID = 200
"""Of an actor's id, in the contract; policy and step may have a hundred characters each."""

_GRADES = tuple(Priority)


class Plan(NamedTuple):
    """What a step changes on a ticket as it is now. `holder` is team and assignee; None changes nothing."""

    holder: tuple[str, str | None] | None = None
    priority: Priority | None = None
    not_done: tuple[str, ...] = ()


def step_actor(policy: str, step: str) -> Actor:
    """Return who acts: the timeline shows policy and step."""
    return Actor(kind=ActorKind.MACHINE, id=f"{ACTOR_PREFIX}{policy}/{step}"[:_LONGEST_ID])


def is_step(actor: Actor | Doer) -> bool:
    """Whether a step acted; an agent may have any name."""
    return actor.kind is ActorKind.MACHINE and actor.id.startswith(ACTOR_PREFIX)


def escalate(draft: Draft, policies: Policies, due: DueTransition, cause: str) -> None:
    """Record that the step has run, and wish for what it changes; in another system's past it does nothing."""
    policy, calendar = policies.of_clock(due.clock), policies.calendar_of(due.clock)
    step = next(named(policy.steps, due.step))
    actor = step_actor(policy.name, step.name)
    taken = clocks.take_step(due.clock, step.name, policy, calendar, cause)
    if draft.imported:
        draft.turn_by_time(TicketEscalated, taken, due.at, cause, actor, step=step.name)
        return
    plan = plan_of(step, draft.ticket.summary, policies.people)
    told = _after(draft.ticket.summary, plan)
    recipients = policies.people.resolve(step.notify, told)
    draft.turn_by_time(
        TicketEscalated,
        taken,
        due.at,
        cause,
        actor,
        step=step.name,
        recipients=recipients,
        team=told.team if told.team != draft.ticket.summary.team else None,
        assignee=told.assignee if plan.holder else None,
        priority=plan.priority,
        not_done=plan.not_done,
    )
    behind = f"{draft.ticket.ticket_id}:{draft.ticket.version}"
    draft.wishes += [Wish(due.at, behind, command) for command in _commands(draft, actor, plan)]


def plan_of(step: Step, ticket: TicketSummary, people: People) -> Plan:
    """Return what the step changes. A team or agent that was archived meanwhile gets no ticket: nobody would see it."""
    team, agent, not_done = step.reassign_team or ticket.team, step.reassign_to, list[str]()
    if step.reassign_team is not None and step.reassign_team not in people.teams:
        team, not_done = ticket.team, [f"team/{step.reassign_team}"]
    if agent is not None and agent not in people.agents:
        agent, not_done = None, [*not_done, f"agent/{agent}"]
    holder = team, agent or (ticket.assignee if team == ticket.team else None)
    return Plan(
        holder=None if holder == (ticket.team, ticket.assignee) else holder,
        priority=raised(ticket.priority) if step.raise_priority else None,
        not_done=tuple(not_done),
    )


def raised(priority: Priority | None) -> Priority | None:
    """Return the next grade; None where there is none."""
    if priority is None or priority is _GRADES[-1]:
        return None
    return _GRADES[_GRADES.index(priority) + 1]


def _after(ticket: TicketSummary, plan: Plan) -> TicketSummary:
    """Return the ticket as the step leaves it: who gets it is told, not who had it."""
    if plan.holder is None:
        return ticket
    team, assignee = plan.holder
    return ticket.model_copy(update={"team": team, "assignee": assignee})


def _commands(draft: Draft, actor: Actor, plan: Plan) -> list[Command]:
    ticket_id, commands = draft.ticket.ticket_id, list[Command]()
    if plan.holder is not None:
        team, assignee = plan.holder
        commands.append(Assign(ticket_id=ticket_id, actor=actor, team=team, assignee=assignee))
    if plan.priority is not None:
        commands.append(SetPriority(ticket_id=ticket_id, actor=actor, priority=plan.priority))
    return commands
