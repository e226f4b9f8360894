"""Turn a policy's escalation steps into points of a clock's life (rule 45)."""

from collections.abc import Iterator
from datetime import timedelta

import structlog

from business_time.calendar import NOTHING, BusinessCalendar
from sla_engine.count_durations import LONGEST_WAIT, seconds
from sla_engine.domain.steps import Recipient, Step
from ticket_store import documents
from ticket_store.documents import EscalationStep

log = structlog.get_logger("policies")


def compile_steps(policy: documents.Policy, calendar: BusinessCalendar) -> tuple[Step, ...]:
    """Return the steps that can come, in the order of the document."""
    return tuple(_steps(policy, calendar))


def _steps(policy: documents.Policy, calendar: BusinessCalendar) -> Iterator[Step]:
    for step in policy.escalations:
        percent, after = _point(step, calendar)
        if after > LONGEST_WAIT.total_seconds() or not calendar.reaches(timedelta(seconds=after)):
            log.warning("step is too late to come", policy=policy.name, step=step.name, at=step.at)
            continue
        yield Step(
            name=step.name,
            metric=step.metric,
            percent=percent,
            after=timedelta(seconds=after) if after else NOTHING,
            out_of_hours=step.out_of_hours,
            notify=tuple(Recipient(each.to, each.name) for each in step.notify),
            reassign_team=step.reassign_team,
            reassign_to=step.reassign_to,
            raise_priority=step.raise_priority,
        )


def _point(step: EscalationStep, calendar: BusinessCalendar) -> tuple[int | None, int]:
    """Return the percent of `warning:75`, or the seconds after the breach."""
    kind, _, percent = step.at.partition(":")
    if kind == "warning":
        return int(percent), 0
    _, _, duration = step.at.partition("+")
    return None, seconds(duration, calendar) if duration else 0
