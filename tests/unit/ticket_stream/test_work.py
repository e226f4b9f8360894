from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ticket_stream.records import owned, raw
from ticket_stream.processing import DueTimer
from ticket_stream.work import Work


def work_of(sizes: list[int], timers: int = 0) -> Work:
    partitions = [owned(number) for number in range(max(len(sizes), 1))]
    due = datetime(2026, 1, 1, tzinfo=UTC)
    return Work(
        [
            (item, [raw(offset) for offset in range(size)])
            for item, size in zip(partitions, sizes, strict=False)
            if size
        ],
        [(partitions[0], DueTimer(partitions[0].partition, str(number), due, due)) for number in range(timers)],
    )


@given(st.lists(st.integers(0, 9), max_size=4), st.integers(0, 5))
def test_taking_apart_ends_with_single_items_in_order(sizes: list[int], timers: int) -> None:
    stack, offsets, singles = [work_of(sizes, timers)], dict[int, list[int]](), 0
    while stack:
        part = stack.pop()
        if len(part) > 1:
            first, second = part.halves()
            assert len(first) + len(second) == len(part)
            assert len(first) > 0
            assert len(second) > 0
            stack.extend((second, first))
        elif part:
            singles += 1
            for item, raws in part.polled:
                offsets.setdefault(item.partition.number, []).extend(found.offset for found in raws)
    assert singles == sum(sizes) + timers
    assert offsets == {number: list(range(size)) for number, size in enumerate(sizes) if size}


def test_records_come_before_timers() -> None:
    first, second = work_of([2], 3).halves()

    assert (len(first.polled), len(first.timers)) == (1, 0)
    assert (len(second.polled), len(second.timers)) == (0, 3)


def test_what_belongs_to_a_paused_partition_is_left_for_later() -> None:
    work = work_of([2, 3], 1)
    work.polled[0][0].paused = "a bug"

    assert len(work.live()) == 3
