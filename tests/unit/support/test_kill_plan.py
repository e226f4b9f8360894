"""A seed is a plan: the same faults at the same moments, all of them, within the time."""

from collections import Counter
from random import Random

from tests.support.kill_plan import draw_plan

TIMES = {"router": 5, "kafka": 2, "commit": 9}


def test_the_same_seed_gives_the_same_plan_and_another_gives_another() -> None:
    assert draw_plan(Random(1), TIMES, 3, 90) == draw_plan(Random(1), TIMES, 3, 90)
    assert draw_plan(Random(1), TIMES, 3, 90) != draw_plan(Random(2), TIMES, 3, 90)


def test_every_fault_comes_as_often_as_asked_in_order_and_in_time() -> None:
    plan = draw_plan(Random(1), TIMES, 3, 90)
    assert Counter(planned.what for planned in plan) == TIMES
    assert [planned.at for planned in plan] == sorted(planned.at for planned in plan)
    assert plan[0].at >= 3
    assert plan[-1].at <= 90
