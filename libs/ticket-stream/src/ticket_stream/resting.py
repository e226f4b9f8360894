"""How long to wait after a small batch, so that the next one is larger.

Statements, fetches and commits cost by the batch: under load many small batches leave no processor for the work itself
(an adaptive pause gave 10–14 % of the ceiling, facts §4.3c). A batch that took long says that the load is high or the
machine busy, so the rest follows from it: at most half of the time, and next to nothing on an idle machine.
"""

_FEW = 4
"""Records and timers; below it nothing else came while the last batch was worked on, and nobody shall wait."""

_LONGEST_SECONDS = 0.025
"""A message rests twice at most, here and at the engine: a third of the 150 ms in which it shall be readable."""


def rest_after(items: int, seconds: float, batch_size: int) -> float:
    """Return the seconds to wait after a batch of so many records and timers that took so many seconds.

    :param batch_size: the largest batch; from a quarter of it on waiting gains nothing.
    """
    if not _FEW <= items < batch_size // 4:
        return 0.0
    return min(seconds, _LONGEST_SECONDS)
