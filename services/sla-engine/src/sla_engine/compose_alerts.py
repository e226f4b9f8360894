"""Turn a decision into the one alert that tells of it (rule 29): which clocks, who must know, in words."""

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from business_time.calendar import MICROSECOND
from sla_engine.alarm_words import alarm_words, joined, ticket_words
from sla_engine.domain import clock as clocks
from sla_engine.domain.people import WHOM_A_CLOCK_CONCERNS, People, merged
from sla_engine.domain.policies import Policies
from sla_engine.domain.steps import lateness
from sla_engine.publish_facts import Cause, cause_of
from ticket_contracts.alerts import (
    Alarm,
    AlarmKind,
    SlaAlert,
    SlaBreached,
    SlaBreachWithdrawn,
    SlaEscalated,
    SlaWarning,
)
from ticket_contracts.escalations import Addressee, TicketEscalated
from ticket_contracts.tickets import BreachWithdrawn, ClockBreached, ClockFact, ClockWarned, TicketFact, TicketSummary
from ticket_contracts.topics import ALERTS
from ticket_contracts.vocabulary import ClockStatus
from ticket_stream.processing import NewEvent

_KINDS: dict[type[TicketFact], AlarmKind] = {
    ClockBreached: AlarmKind.BREACH,
    ClockWarned: AlarmKind.WARNING,
    TicketEscalated: AlarmKind.ESCALATION,
    BreachWithdrawn: AlarmKind.BREACH_WITHDRAWN,
}
_GRAVEST_FIRST = list(AlarmKind)
_SECOND = timedelta(seconds=1)

_MOST_ALARMS, _MOST_ALARM_BYTES = 100, 96 * 1024
"""Of one alert, the gravest; a policy of ordinary size comes nowhere near. One with a warning at every percent, or with
long names in fifty steps, would not fit into an event, and a timer that makes one stops its partition."""


def compose_alert(facts: Sequence[TicketFact], cause: Cause, policies: Policies) -> NewEvent | None:
    """Return the alert of what one decision made true of a ticket, None when nobody need know.

    Its id is that of the gravest alarm, so it is the same if made again.
    """
    alarming = [fact for fact in facts if isinstance(fact, ClockFact) and type(fact) in _KINDS and not fact.imported]
    if not alarming:
        return None
    gravest_first = sorted(alarming, key=lambda fact: _GRAVEST_FIRST.index(_KINDS[type(fact)]))
    head = gravest_first[0]
    alarms = _alarms(gravest_first, policies)
    alert = _alert(head, alarms[head.version], _content(facts[-1].ticket, alarming, alarms, policies.people))
    own_cause = cause_of(head, cause)
    return NewEvent(
        origin=cause.origin,
        topic=ALERTS.name,
        key=str(head.ticket_id),
        id=f"{head.ticket_id}:{head.clock.metric}:{head.clock.cycle}:{_which(head)}",
        type=alert.event_type,
        time=head.at,
        data=alert.encode(),
        subject=str(head.ticket_id),
        causation_id=f"{head.ticket_id}:{head.version}",
        correlation_id=own_cause.correlation_id,
        traceparent=own_cause.traceparent,
    )


def _alarms(gravest_first: Sequence[ClockFact], policies: Policies) -> dict[int, Alarm]:
    """Return as many as fit, by version and so in the order of time; the words of each stand in the alert twice."""
    alarms: dict[int, Alarm] = {}
    size = 0
    for fact in gravest_first[:_MOST_ALARMS]:
        alarm = _alarm(fact, policies)
        size += len(alarm.model_dump_json().encode()) + len(alarm.words.model_dump_json().encode())
        if alarms and size > _MOST_ALARM_BYTES:
            break
        alarms[fact.version] = alarm
    return dict(sorted(alarms.items()))


def _which(fact: ClockFact) -> str:
    match fact:
        case ClockWarned():
            return f"warning:{fact.clock.warned_percent}"
        case ClockBreached():
            return f"breached:{fact.version}"  # a breach that was withdrawn may come again
        case TicketEscalated():
            return f"escalated:{fact.version}"
        case _:
            return f"breach-withdrawn:{fact.version}"


def _alert(head: ClockFact, alarm: Alarm, content: dict[str, object]) -> SlaAlert:
    told = {
        "ticket_id": head.ticket_id,
        "version": head.version,
        "at": head.at,
        "clock": head.clock,
        "left_seconds": alarm.left_seconds,
        "late_seconds": alarm.late_seconds,
        "cause": head.cause,
        **content,
    }
    match head:
        case ClockWarned():
            return SlaWarning(percent=head.clock.warned_percent, **told)
        case ClockBreached():
            return SlaBreached(**told)
        case TicketEscalated():
            return SlaEscalated(**told)
        case _:
            return SlaBreachWithdrawn(**told)


def _content(
    ticket: TicketSummary, alarming: Sequence[ClockFact], alarms: dict[int, Alarm], people: People
) -> dict[str, object]:
    """Return what all alerts say of the ticket as it is afterwards, and of whom to tell."""
    team, assignee = people.teams.get(ticket.team), people.agents.get(ticket.assignee or "")
    names = {
        "requester_name": ticket.contact.name or ticket.contact.value,
        "team_name": team.display_name if team else ticket.team,
        "assignee_name": assignee.display_name if assignee else ticket.assignee or "",
    }
    headline = ticket_words(ticket, names["requester_name"], names["team_name"], names["assignee_name"])
    return {
        **names,
        "ticket": ticket,
        "alarms": tuple(alarms.values()),
        "recipients": _recipients(ticket, alarming, people),
        "words": joined([headline, *(alarm.words for alarm in alarms.values())]),
    }


def _recipients(ticket: TicketSummary, alarming: Sequence[ClockFact], people: People) -> tuple[Addressee, ...]:
    """Return whom what became of a clock concerns, as the ticket is held now, and whom the steps name."""
    concerns = any(not isinstance(fact, TicketEscalated) for fact in alarming)
    concerned = people.resolve(WHOM_A_CLOCK_CONCERNS, ticket) if concerns else ()
    named = [person for fact in alarming if isinstance(fact, TicketEscalated) for person in fact.recipients]
    return merged([*concerned, *named])


def _alarm(fact: ClockFact, policies: Policies) -> Alarm:
    kind, clock = _KINDS[type(fact)], fact.clock
    calendar = policies.calendars.get(clock.calendar)
    left = late = None
    if calendar is not None and kind is not AlarmKind.BREACH_WITHDRAWN:
        left = clocks.left(clock, calendar, fact.at) // _SECOND
        late = lateness(clock, calendar, fact.at).business_microseconds * MICROSECOND // _SECOND
    breached = clock.status is ClockStatus.BREACHED
    escalated = fact if isinstance(fact, TicketEscalated) else None
    return Alarm(
        kind=kind,
        version=fact.version,
        at=fact.at,
        metric=clock.metric,
        cycle=clock.cycle,
        policy=clock.policy,
        policy_version=clock.policy_version,
        percent=clock.warned_percent if isinstance(fact, ClockWarned) else None,
        due_at=clock.due_at,
        left_seconds=None if breached else left,
        late_seconds=late if breached else None,
        step=escalated.step if escalated else None,
        team=escalated.team if escalated else None,
        assignee=escalated.assignee if escalated else None,
        priority=escalated.priority if escalated else None,
        cause=fact.cause,
        words=alarm_words(kind, fact, calendar.zone if calendar else ZoneInfo("UTC"), left or 0, late or 0),
    )
