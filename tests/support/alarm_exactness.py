"""An independent judge of SLA alarms: which warnings and breaches event time demands, and whether each came once.

It knows one policy around the clock (`deployment_files.fast_policy`) and the rules 1, 3, 6, 16, 18, 21, 42 and 44; it
works them out from messages and statuses alone and never looks at what the engine says about its clocks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from tests.support.world import StoredFact, World
from ticket_contracts.alerts import AlarmKind
from ticket_contracts.tickets import (
    BreachWithdrawn,
    ClockBreached,
    ClockWarned,
    MessageAdded,
    StatusChanged,
    TicketOpened,
)
from ticket_contracts.topics import ALERTS, COMMANDS
from ticket_contracts.vocabulary import ActorKind, Metric, Status

BREACH, WITHDRAWN = 100, -100
"""Stand for the percent of a breach and of its withdrawal."""

# Broker and database read the clock of the machine one after the other: within this, a stop and an alarm are a tie.
TIE = timedelta(milliseconds=50)


class Alarm(NamedTuple):
    """One alarm of one clock."""

    ticket_id: UUID
    metric: str
    cycle: int
    percent: int


@dataclass
class Life:
    """What matters of a ticket: when it began, when we learned of it, what stopped its clocks, when it stood still."""

    opened_at: datetime
    learned_at: datetime
    answered_at: datetime | None = None
    solved_at: datetime | None = None
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Targets:
    """The policy. Seconds of each metric, and the shares at which it warns."""

    first_response: int
    resolution: int
    warnings: Sequence[int] = (50, 75, 90)


@dataclass(frozen=True, slots=True)
class Due:
    """An alarm that event time foresees; `certain` says that no tie leaves it open."""

    alarm: Alarm
    at: datetime
    certain: bool


def find_alarm_flaws(world: World, targets: Targets, grace: timedelta) -> list[str]:
    """Return every alarm that is missing, doubled or should not be; `grace` is how late one may be at the moment."""
    given = Counter(_alarm(fact.ticket_id, fact.data, fact.type) for fact in world.facts if fact.type in _PERCENT)
    flaws: list[str] = []
    appended = {record.event_id: record.appended_at for record in reversed(world.once(COMMANDS))}
    for ticket_id, facts in groupby(world.facts, key=lambda fact: fact.ticket_id):
        life = _life(list(facts), appended)
        if life is not None:
            foreseen = _without_lower(list(_foresee(ticket_id, life, targets, world.moment)), life.learned_at)
            flaws += _compare(foreseen, given, world.moment - grace)
    flaws += [f"alarm that event time does not demand: {alarm}" for alarm, times in given.items() if times > 0]
    return [*flaws, *_alert_flaws(world)]


def _compare(foreseen: Sequence[Due], given: Counter[Alarm], settled: datetime) -> Iterator[str]:
    """Take what was foreseen out of what was given."""
    for due in foreseen:
        times = given.pop(due.alarm, 0)
        withdrawn = given.pop(due.alarm._replace(percent=WITHDRAWN), 0) if due.alarm.percent == BREACH else 0
        if times > 1:
            yield f"DUPLICATE: {due.alarm} came {times} times"
        elif times - withdrawn == 0 and due.certain and due.at <= settled:
            yield f"LOSS: {due.alarm}, due at {due.at.isoformat()}, did not come"


def _foresee(ticket_id: UUID, life: Life, targets: Targets, moment: datetime) -> Iterator[Due]:
    stops = {
        Metric.FIRST_RESPONSE: _earliest(life.answered_at, life.solved_at),
        Metric.RESOLUTION: life.solved_at,
    }
    seconds = {Metric.FIRST_RESPONSE: targets.first_response, Metric.RESOLUTION: targets.resolution}
    for metric, stop in stops.items():
        pauses = life.pauses if metric is Metric.RESOLUTION else []
        for percent in (*targets.warnings, BREACH):
            at = _after(life.opened_at, timedelta(seconds=seconds[metric]) * percent / 100, pauses)
            if at is None or at > moment or (stop is not None and at >= stop + TIE):
                continue
            edges = [edge for edge in (stop, *(edge for pause in pauses for edge in pause)) if edge is not None]
            certain = all(abs(at - edge) > TIE for edge in edges)
            yield Due(Alarm(ticket_id, metric, 1, percent), at, certain)


def _without_lower(foreseen: Sequence[Due], learned_at: datetime) -> list[Due]:
    """Of the warnings already past when we learned of the ticket only the highest is given (rule 42)."""
    kept = []
    for due in foreseen:
        higher = [
            other.at
            for other in foreseen
            if other.alarm.metric == due.alarm.metric and due.alarm.percent < other.alarm.percent < BREACH
        ]
        overtaken = min(higher, default=None)
        if overtaken is None or overtaken > learned_at + TIE:
            kept.append(due)
        elif overtaken > learned_at - TIE:
            kept.append(replace(due, certain=False))
    return kept


def _after(start: datetime, used: timedelta, pauses: Sequence[tuple[datetime, datetime | None]]) -> datetime | None:
    """Return when so much time was used, None when a pause that goes on comes first."""
    at = start
    for began, ended in pauses:
        if at + used <= began:
            return at + used
        used -= began - at
        if ended is None:
            return None
        at = ended
    return at + used


def _life(facts: Sequence[StoredFact], appended: Mapping[str, datetime | None]) -> Life | None:
    """Read a ticket's life off its facts in order; None when its first is not the opening (a flaw found elsewhere)."""
    if facts[0].type != TicketOpened.event_type:
        return None
    opened_at = _at(facts[0].data["message"]["at"])
    life = Life(opened_at, appended.get(facts[0].causation_id) or opened_at)
    for fact in facts[1:]:
        if fact.type == MessageAdded.event_type:
            message = fact.data["message"]
            if message["public"] and message["author"]["kind"] == ActorKind.AGENT:
                life.answered_at = life.answered_at or _at(message["at"])
        elif fact.type == StatusChanged.event_type:
            _change_status(life, fact.data["ticket"]["status"], _at(fact.data["at"]))
    return life


def _change_status(life: Life, status: str, at: datetime) -> None:
    if status in (Status.PENDING, Status.ON_HOLD):
        if not life.pauses or life.pauses[-1][1] is not None:
            life.pauses.append((at, None))
    elif life.pauses and life.pauses[-1][1] is None:
        life.pauses[-1] = (life.pauses[-1][0], at)
    if status in (Status.SOLVED, Status.CLOSED):
        life.solved_at = life.solved_at or at


def _alert_flaws(world: World) -> Iterator[str]:
    """Each alarm on a ticket stands in one alert on the topic, and no other alarm is there."""
    told = Counter(_alarm(fact.ticket_id, fact.data, fact.type) for fact in world.facts if fact.type in _PERCENT)
    alerts = Counter(
        _told(UUID(record.data["ticket_id"]), alarm)
        for record in world.once(ALERTS)
        for alarm in record.data["alarms"]
        if alarm["kind"] != AlarmKind.ESCALATION
    )
    for alarm in told.keys() | alerts.keys():
        if told[alarm] != alerts[alarm]:
            word = "LOSS" if alerts[alarm] < told[alarm] else "DUPLICATE"
            yield f"{word}: {alarm} stands {told[alarm]} times in the ticket, {alerts[alarm]} times among the alerts"


_PERCENT: dict[str, int | None] = {
    ClockWarned.event_type: None,
    ClockBreached.event_type: BREACH,
    BreachWithdrawn.event_type: WITHDRAWN,
}


def _told(ticket_id: UUID, alarm: Any) -> Alarm:
    percent = {AlarmKind.BREACH: BREACH, AlarmKind.BREACH_WITHDRAWN: WITHDRAWN}.get(alarm["kind"], alarm.get("percent"))
    return Alarm(ticket_id, alarm["metric"], alarm["cycle"], percent)


def _alarm(ticket_id: UUID, data: Any, event_type: str) -> Alarm:
    clock, percent = data["clock"], _PERCENT[event_type]
    return Alarm(ticket_id, clock["metric"], clock["cycle"], clock["warned_percent"] if percent is None else percent)


def _earliest(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
