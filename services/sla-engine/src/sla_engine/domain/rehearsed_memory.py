"""What a rehearsed ticket remembers of its clocks once there are many: as `clock_memory`, without a record of it."""

from collections.abc import Sequence

from sla_engine.domain.clock_memory import old_places
from sla_engine.domain.rehearsed_clock import CANCELLED, RehearsedClock
from ticket_contracts.vocabulary import Metric


class LongMemory:
    """The clocks that a ticket would still know of, in the order of their start, and what stands for all others."""

    __slots__ = ("_past", "_taken_in", "kept")

    def __init__(self) -> None:
        self.kept: list[RehearsedClock] = []
        self._past: dict[tuple[Metric, bool], RehearsedClock] = {}  # of each metric the last one, cancelled or not
        self._taken_in = 0

    @property
    def known(self) -> list[RehearsedClock]:
        """All of them, what stands for others first."""
        return [*self._past.values(), *self.kept]

    def follow(self, clocks: Sequence[RehearsedClock]) -> None:
        """Take in what was started meanwhile and let go what need not be kept; `clocks` are all of the ticket."""
        self.kept += clocks[self._taken_in :]
        self._taken_in = len(clocks)
        old = old_places(self.kept)
        for place in sorted(old):
            self._let_go(self.kept[place])
        self.kept = [clock for place, clock in enumerate(self.kept) if place not in old]

    def _let_go(self, clock: RehearsedClock) -> None:
        assert clock.stopped_at is not None  # it is over
        place = clock.metric, clock.status is CANCELLED
        before = self._past.get(place)
        if before is None or before.stopped_at is None or before.stopped_at < clock.stopped_at:
            self._past[place] = clock
