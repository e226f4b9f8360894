"""Lives of tickets as a team lives them: what the rows of the domain are measured with."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from sla_engine.domain.policies import Policies
from tests.unit.sla_engine.case import Case, a_policy, policies_of
from tests.unit.sla_engine.escalation_case import PEOPLE, a_step
from ticket_contracts.vocabulary import Metric, Priority, Status

SEED = 20260101  # the same lives in every run
FIRST = datetime(2026, 1, 5, tzinfo=UTC)
YEAR = timedelta(days=300)

TARGETS = {
    Metric.FIRST_RESPONSE: {Priority.LOW: 8, Priority.NORMAL: 4, Priority.HIGH: 2, Priority.URGENT: 1},
    Metric.NEXT_RESPONSE: {Priority.LOW: 16, Priority.NORMAL: 8, Priority.HIGH: 4, Priority.URGENT: 2},
    Metric.UPDATE: {Priority.NORMAL: 16, Priority.HIGH: 8, Priority.URGENT: 4},
    Metric.RESOLUTION: {Priority.LOW: 80, Priority.NORMAL: 40, Priority.HIGH: 24, Priority.URGENT: 8},
}
"""Hours of business time."""


STEPS = (
    a_step("raise", metric=Metric.RESOLUTION, percent=50, raise_priority=True),
    a_step("hand over", reassign_team="experts"),
    a_step("late", metric=Metric.NEXT_RESPONSE, after=timedelta(hours=1), reassign_team="experts", raise_priority=True),
)
STEP_OF_EXPERTS = a_step("last", metric=Metric.RESOLUTION, percent=90, raise_priority=True)


def policies(factor: int = 1, **options: object) -> Policies:
    """All four metrics, warnings at 50, 75 and 90 %, weekdays from nine to five."""
    return policies_of(a_policy(targets=_targets(factor), **options))


def escalating(**options: object) -> Policies:
    """The same targets with steps that raise the priority and hand over to a team that has a policy of its own."""
    experts = a_policy(
        name="experts",
        order=0,
        teams=frozenset({"experts"}),
        targets=_targets(1),
        calendar="always",
        steps=(STEP_OF_EXPERTS,),
    )
    return policies_of(experts, a_policy(targets=_targets(1), steps=STEPS, **options), people=PEOPLE)


def _targets(factor: int) -> dict[Metric, dict[Priority, int]]:
    return {metric: {each: hours * 3600 * factor for each, hours in of.items()} for metric, of in TARGETS.items()}


def live(number: int, under: Policies) -> Sequence[Case]:
    """Return so many lives: a question, none to two more exchanges with pauses and other priorities, the solution."""
    random = Random(SEED)
    return [_life(random, under) for _ in range(number)]


def _life(random: Random, under: Policies) -> Case:
    case = Case(under)
    at = FIRST + random.random() * YEAR
    case.receive(at, priority=random.choice(list(Priority)))
    for number in range(2, random.randint(0, 2) + 2):
        at += timedelta(minutes=random.randint(5, 600))
        case.reply(at)
        if random.random() < 0.5:
            case.set_status(Status.PENDING, at + timedelta(minutes=1))
        if random.random() < 0.2:
            case.set_priority(random.choice(list(Priority)), at + timedelta(minutes=2))
        at += timedelta(minutes=random.randint(10, 1500))
        case.receive(at, number)
    at += timedelta(minutes=random.randint(5, 300))
    case.reply(at)
    case.set_status(Status.SOLVED, at + timedelta(minutes=1))
    case.pass_time(at + timedelta(days=30))
    return case
