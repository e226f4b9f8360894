"""A slow provider does not hold all slots."""

import pytest

from ingest_files.domain.fair_slots import full_sources


@pytest.mark.parametrize(
    ("in_hand", "slots", "full"),
    [
        ({}, 4, []),
        ({"slow": 1}, 4, []),
        ({"slow": 2}, 4, ["slow"]),
        ({"slow": 2, "other": 1}, 4, ["other", "slow"]),  # the last one is for a third
        ({"slow": 3}, 8, []),
        ({"slow": 4, "other": 1}, 8, ["slow"]),
        ({"slow": 1}, 2, ["slow"]),
        ({}, 1, []),
        ({"ended": 0}, 1, []),
    ],
)
def test_a_source_takes_a_slot_while_it_holds_fewer_than_are_free(
    in_hand: dict[str, int], slots: int, full: list[str]
) -> None:
    assert full_sources(in_hand, slots) == full
