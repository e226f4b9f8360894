"""What every hook has in common: the request, the mail in it, and how to say no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Protocol

SIGNATURE_WRONG = "the signature is wrong"


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One request, read whole. Header names are lower-case."""

    headers: Mapping[str, str]
    body: bytes
    now: datetime


@dataclass(frozen=True, slots=True)
class HookMail:
    """A mail as its sender wrote it, and its envelope as the provider saw it."""

    raw: bytes
    envelope_sender: str
    recipients: Sequence[str]


class HookRejected(Exception):
    """The answer is this status; the reason is for our log and for whoever sets the hook up."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class HookUnavailable(OSError):
    """Something that is needed to take the mail does not answer: the provider shall try again."""


class HookProvider(Protocol):
    """One configured hook."""

    refused: HTTPStatus
    """What keeps the provider from trying again, for a mail that will never be taken."""

    async def read(self, request: HookRequest) -> HookMail | None:
        """Check the request and return its mail, None when it brings none and is answered with 200.

        :raises HookRejected: it is not genuine, or not what it should be.
        :raises HookUnavailable: it may be good and cannot be checked or read now.
        """
        ...


def unauthorised(reason: str) -> HookRejected:
    """Providers try again after 401, so a secret that is changed on one side first loses no mail."""
    return HookRejected(HTTPStatus.UNAUTHORIZED, reason)


def malformed(reason: str) -> HookRejected:
    return HookRejected(HTTPStatus.BAD_REQUEST, reason)
