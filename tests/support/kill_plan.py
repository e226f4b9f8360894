"""Which process dies when: drawn from a seed, so that a run that failed can be had again."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random, SystemRandom

SEED_VARIABLE = "FIREBREAK_FAULT_SEED"


def chosen_seed() -> int:
    """Return the seed of the environment, else a new one; the test prints it."""
    given = os.environ.get(SEED_VARIABLE)
    return int(given) if given else SystemRandom().randrange(1_000_000)


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault; `at` is seconds after the load began, `what` a victim's label or the name of another fault."""

    at: float
    what: str


def draw_plan(random: Random, times: Mapping[str, int], first: float, last: float) -> list[Planned]:
    """Spread every fault `times` often over the time between `first` and `last`, in a random order.

    One falls into each equal stretch, anywhere in it: two may meet, and none of them waits for another's end.
    """
    faults: Sequence[str] = [what for what, often in times.items() for _ in range(often)]
    stretch = (last - first) / len(faults)
    order = random.sample(faults, len(faults))
    return [Planned(first + stretch * (place + random.random()), what) for place, what in enumerate(order)]
