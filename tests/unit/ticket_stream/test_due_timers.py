from typing import cast

from tests.unit.ticket_stream.records import owned
from ticket_stream.context import StreamContext
from ticket_stream.due_timers import DueTimers
from ticket_stream.held_connection import HeldConnection
from ticket_stream.log_inspection import LogInspector
from ticket_stream.owned import Hold
from ticket_stream.reading import Reader
from ticket_stream.timer_heap import TimerHeap


def test_a_timer_gives_way_to_one_record_of_its_key_and_not_to_those_that_follow_for_ever() -> None:
    # None of these is asked anything: nothing has to be loaded or fetched to choose among due timers.
    timers = DueTimers(
        cast(StreamContext, None), cast(HeldConnection, None), LogInspector("nowhere:1", 1.0), Reader("nowhere:1", 1.0)
    )
    partition = owned(next_offset=10)
    partition.timers = TimerHeap(100.0, [("hot", 1.0), ("quiet", 2.0)])
    partition.hold = Hold(5.0, 10)
    ready = [(partition, 10)]

    assert timers.overtaken(ready, {"hot"}, 10) == []
    assert [timer.key for _, timer in timers.take(ready, {"hot"}, 10)] == ["quiet"]
    assert [timer.key for _, timer in timers.overtaken(ready, {"hot"}, 10)] == ["hot"]

    partition.timers.schedule("hot", None)
    assert timers.overtaken(ready, {"hot"}, 10) == []
