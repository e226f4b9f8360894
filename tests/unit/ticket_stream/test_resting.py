"""The rest between small batches: bounded, in proportion to the work, and for nobody who comes alone."""

import pytest

from ticket_stream.resting import rest_after

LARGEST = 1000


@pytest.mark.parametrize("items", [0, 1, 3])
def test_a_light_load_waits_for_nothing(items: int) -> None:
    assert rest_after(items, 0.008, LARGEST) == 0.0


@pytest.mark.parametrize("items", [250, 1000])
def test_a_large_batch_is_large_enough(items: int) -> None:
    assert rest_after(items, 0.2, LARGEST) == 0.0


@pytest.mark.parametrize("items", [4, 249])
def test_a_small_batch_is_followed_by_as_much_rest_as_it_took(items: int) -> None:
    assert rest_after(items, 0.008, LARGEST) == 0.008


def test_a_slow_batch_keeps_nobody_waiting_for_long() -> None:
    assert rest_after(40, 3.0, LARGEST) == 0.025
