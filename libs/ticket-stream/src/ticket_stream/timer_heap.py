"""The timers of one partition that are due soon, in memory; the others wait in `stream_timers`.

An entry is valid while the dictionary names the same time for its key: rescheduling leaves the old entry in the heap,
where it is skipped when it comes to the top. Times are seconds since the epoch.
"""

import heapq
from collections.abc import Collection, Iterable


class TimerHeap:
    """Knows all timers due before `loaded_until`."""

    def __init__(self, loaded_until: float, timers: Iterable[tuple[str, float]] = ()) -> None:
        self.loaded_until = loaded_until
        self._due = dict(timers)
        self._heap = [(due, key) for key, due in self._due.items()]
        heapq.heapify(self._heap)

    def __len__(self) -> int:
        return len(self._due)

    def extend(self, loaded_until: float, timers: Iterable[tuple[str, float]]) -> None:
        """Add what was loaded for the time from the old to the new `loaded_until`."""
        self.loaded_until = loaded_until
        for key, due in timers:
            if self._due.get(key) != due:
                self._due[key] = due
                heapq.heappush(self._heap, (due, key))

    def schedule(self, key: str, due: float | None) -> None:
        """Apply a committed change; a time beyond `loaded_until` stays in the table."""
        if due is None or due >= self.loaded_until:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            heapq.heappush(self._heap, (due, key))

    def earliest(self) -> float | None:
        """When the first timer is due, among those loaded."""
        while self._heap:
            due, key = self._heap[0]
            if self._due.get(key) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def due(self, until: float, limit: int, without: Collection[str] = ()) -> list[tuple[str, float]]:
        """Return the timers due at or before `until`, earliest first; they stay until a commit removes them."""
        found: list[tuple[str, float]] = []
        taken: list[tuple[float, str]] = []
        while self._heap and self._heap[0][0] <= until and len(found) < limit:
            entry = heapq.heappop(self._heap)
            due, key = entry
            if self._due.get(key) != due:
                continue
            if taken and taken[-1] == entry:
                continue  # the same timer twice, after it was moved away and back
            taken.append(entry)
            if key not in without:
                found.append((key, due))
        for entry in taken:
            heapq.heappush(self._heap, entry)
        return found

    def count_due(self, until: float) -> int:
        """How many are due; for the metric, exact up to entries that were rescheduled."""
        return sum(1 for due in self._due.values() if due <= until)
