"""What leaves the engine of automation rules: the causes of what they did, and notices to the people whom they tell."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sla_engine.domain.timing import TIMER
from sla_engine.publish_facts import Cause
from ticket_contracts.alerts import RuleNotice
from ticket_contracts.automation import RuleRan
from ticket_contracts.tickets import TicketFact
from ticket_contracts.topics import ALERTS
from ticket_stream.processing import NewEvent


def within_rules(facts: Sequence[TicketFact], cause: Cause) -> Iterator[tuple[TicketFact, Cause]]:
    """Yield each fact of a decision with what is behind it: the command, or the fact that a rule ran.

    That a rule ran comes from the fact that set it off; or from a moment, and then not from the command that came by.
    """
    runs: dict[str, Cause] = {}
    for fact in facts:
        behind = runs.get(fact.actor.id, cause)
        if isinstance(fact, RuleRan):
            by_time = fact.cause.startswith(TIMER)
            behind = Cause(cause.origin, fact.cause) if by_time else replace(cause, id=fact.cause)
            runs[fact.actor.id] = replace(behind, id=f"{fact.ticket_id}:{fact.version}")
        yield fact, behind


def notice_events(fact: TicketFact, cause: Cause) -> Iterator[NewEvent]:
    """Yield the alert that tells people of a rule; its id says which run, so it is the same if made again.

    Of a rule that was stopped there is one though nobody is named: somebody has to change it.
    """
    if not isinstance(fact, RuleRan) or not (fact.notified or (fact.outcome == "stopped" and fact.words)):
        return  # of a loop the timeline tells in words too: nothing rests, so nobody is called
    notice = RuleNotice(
        ticket_id=fact.ticket_id,
        version=fact.version,
        at=fact.at,
        ticket=fact.ticket,
        rule=fact.rule,
        recipients=fact.notified,
        outcome=fact.outcome,
        reason=fact.reason,
        words=fact.words,
    )
    yield NewEvent(
        origin=cause.origin,
        topic=ALERTS.name,
        key=str(fact.ticket_id),
        id=f"{fact.ticket_id}:{fact.version}:notice",
        type=notice.event_type,
        time=fact.at,
        data=notice.encode(),
        subject=str(fact.ticket_id),
        causation_id=f"{fact.ticket_id}:{fact.version}",
        correlation_id=cause.correlation_id,
        traceparent=cause.traceparent,
    )
