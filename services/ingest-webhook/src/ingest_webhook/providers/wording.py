"""A platform's message in words."""

from typing import NamedTuple


class Wording(NamedTuple):
    """What a person reads of a message, and what of it they do not because it stays at the platform."""

    text: str
    problems: tuple[str, ...] = ()
