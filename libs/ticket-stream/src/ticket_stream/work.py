"""What one transaction shall handle, and how it is taken apart when it fails."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.structs import ConsumerRecord

from ticket_stream.owned import OwnedPartition
from ticket_stream.processing import DueTimer


@dataclass(slots=True)
class Work:
    """What one transaction shall handle; halved until the item at fault stands alone."""

    polled: Sequence[tuple[OwnedPartition, Sequence[ConsumerRecord]]] = ()
    timers: Sequence[tuple[OwnedPartition, DueTimer]] = ()

    def __len__(self) -> int:
        return sum(len(raws) for _, raws in self.polled) + len(self.timers)

    def live(self) -> "Work":
        """Without what belongs to a partition that was paused meanwhile; it is read again when it goes on."""
        return Work(
            [(owned, raws) for owned, raws in self.polled if owned.paused is None and raws],
            [(owned, timer) for owned, timer in self.timers if owned.paused is None],
        )

    def halves(self) -> tuple["Work", "Work"]:
        """Two parts; for each partition all that is in the first comes before all that is in the second."""
        if self.polled and self.timers:
            return Work(self.polled), Work(timers=self.timers)
        if self.timers:
            middle = len(self.timers) // 2
            return Work(timers=self.timers[:middle]), Work(timers=self.timers[middle:])
        middle = len(self) // 2
        first: list[tuple[OwnedPartition, Sequence[ConsumerRecord]]] = []
        second: list[tuple[OwnedPartition, Sequence[ConsumerRecord]]] = []
        for owned, raws in self.polled:
            cut = max(0, min(len(raws), middle))
            middle -= len(raws)
            if cut:
                first.append((owned, raws[:cut]))
            if cut < len(raws):
                second.append((owned, raws[cut:]))
        return Work(first), Work(second)
