from hypothesis import given
from hypothesis import strategies as st

from ticket_stream.timer_heap import TimerHeap


def test_timers_come_out_in_the_order_they_are_due_and_stay_until_a_commit_removes_them() -> None:
    heap = TimerHeap(100.0, [("b", 2.0), ("a", 1.0), ("c", 3.0)])

    assert heap.due(2.0, 10) == [("a", 1.0), ("b", 2.0)]
    assert heap.due(2.0, 10) == [("a", 1.0), ("b", 2.0)]
    heap.schedule("a", None)
    assert heap.earliest() == 2.0


def test_a_moved_timer_is_due_once_at_its_new_time() -> None:
    heap = TimerHeap(100.0, [("a", 1.0)])
    heap.schedule("a", 5.0)
    heap.schedule("a", 1.0)

    assert heap.due(10.0, 10) == [("a", 1.0)]
    heap.schedule("a", 7.0)
    assert heap.due(6.0, 10) == []
    assert heap.due(7.0, 10) == [("a", 7.0)]


def test_a_timer_beyond_what_is_loaded_stays_in_the_table_until_more_is_loaded() -> None:
    heap = TimerHeap(100.0, [("a", 1.0)])
    heap.schedule("a", 100.0)

    assert heap.earliest() is None
    heap.extend(200.0, [("a", 100.0)])
    assert heap.due(100.0, 1) == [("a", 100.0)]


def test_keys_that_are_busy_are_left_out_but_not_lost() -> None:
    heap = TimerHeap(100.0, [("a", 1.0), ("b", 1.0)])

    assert heap.due(1.0, 10, {"a"}) == [("b", 1.0)]
    assert heap.due(1.0, 10) == [("a", 1.0), ("b", 1.0)]


changes = st.lists(st.tuples(st.sampled_from("abcde"), st.none() | st.integers(0, 20).map(float)))


@given(changes, st.integers(0, 20).map(float))
def test_whatever_is_scheduled_the_heap_agrees_with_a_plain_dictionary(
    steps: list[tuple[str, float | None]], until: float
) -> None:
    heap, model = TimerHeap(15.0), dict[str, float]()
    for key, due in steps:
        heap.schedule(key, due)
        model.pop(key, None)
        if due is not None and due < 15.0:
            model[key] = due
        heap.due(until, 2)

    assert sorted(heap.due(until, 100)) == sorted((key, due) for key, due in model.items() if due <= until)
    assert heap.earliest() == min(model.values(), default=None)
    assert heap.count_due(until) == sum(1 for due in model.values() if due <= until)
