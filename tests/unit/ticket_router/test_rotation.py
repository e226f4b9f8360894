"""Whose turn it is."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ticket_router.domain.rotation import turns


def test_members_take_turns_from_where_the_counter_stood() -> None:
    assert list(turns(("a", "b", "c"), 5, 4)) == ["b", "c", "a", "b"]


@given(st.lists(st.integers(0, 20), max_size=10), st.integers(1, 5))
def test_whatever_the_batches_nobody_gets_two_more_than_another(batches: list[int], members: int) -> None:
    team = "abcde"[:members]
    given_out, received = 0, Counter(dict.fromkeys(team, 0))
    for tickets in batches:
        given_out += tickets
        received.update(turns(team, given_out, tickets))

    assert received.total() == given_out
    assert max(received.values()) - min(received.values()) <= 1
