"""The senders of every webhook provider, who speak as another person whenever they are told to."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.every_source import EVERY_SOURCE
from tests.support.partners.signed_request import SignedRequest, Way

# A person is known by one of these at most providers. A call is a conversation of its own, and a ticket system's or
# GitHub's messages join the ticket that they name: those partners have none of them.
_WHO = ("person", "user", "customer")
_WHERE = ("conversation", "chat")
PERSONS = 10_000


def requests_of_all(messages_of_one: int) -> Mapping[str, Iterator[SignedRequest]]:
    """For each provider the requests of its persons, without an end, none twice.

    :param messages_of_one: how many of them a person sends in a row.
    """
    return {source.provider: _requests(source.sender(time.time), messages_of_one) for source in EVERY_SOURCE}


def _requests(speaker: Any, messages_of_one: int) -> Iterator[SignedRequest]:
    number = 0
    while True:
        become(speaker.partner, number % PERSONS)
        for _ in range(messages_of_one):
            yield speaker(Way.GOOD)
        number += 1


def become(partner: Any, number: int) -> None:
    """Let the partner speak as the person of this number, 0 to 9999."""
    for name in (*_WHO, *_WHERE):
        known = getattr(partner, name, None)
        if known is not None:
            setattr(partner, name, type(known)(f"{str(known)[:-4]}{number:04}"))
