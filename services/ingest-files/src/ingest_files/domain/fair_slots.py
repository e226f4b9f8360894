"""Which source may have a free slot: a slow one must not hold them all."""

from collections.abc import Mapping


def full_sources(in_hand: Mapping[str, int], slots: int) -> list[str]:
    """Return the sources that have to leave the free slots to others.

    A source may take one while it holds fewer than are free (dynamic thresholds of shared buffers: Choudhury and
    Hahne, IEEE/ACM Transactions on Networking 6 (2), 1998). Alone it gets half of them, the next half of the rest:
    however many sources are slow, the last slot goes to one that holds none.
    """
    free = slots - sum(in_hand.values())
    return sorted(source for source, held in in_hand.items() if held and held >= free)
