"""Whose turn it is: a team's members one after the other, by the number of tickets the team was given."""

from collections.abc import Iterator, Sequence


def turns(members: Sequence[str], given_after: int, count: int) -> Iterator[str]:
    """Return who gets each of `count` tickets, when the team's counter stands at `given_after` with them included."""
    return (members[number % len(members)] for number in range(given_after - count, given_after))
