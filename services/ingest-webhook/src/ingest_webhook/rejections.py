"""Why a request did not become a message: closed lists, because they are labels of metrics."""

from collections.abc import Sequence
from enum import StrEnum

from service_kit.problems import FieldProblem


class Outcome(StrEnum):
    """What became of one request."""

    ACCEPTED = "accepted"
    IGNORED = "ignored"
    HANDSHAKE = "handshake"
    UNKNOWN_SOURCE = "unknown-source"
    WRONG_METHOD = "wrong-method"
    BAD_SIGNATURE = "bad-signature"
    STALE = "stale"
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    UNDECODABLE = "undecodable"
    KAFKA_AWAY = "kafka-away"
    STORAGE_AWAY = "storage-away"
    OVERLOADED = "overloaded"
    TOO_MANY = "too-many-requests"
    ABANDONED = "abandoned"
    FAILED = "failed"


class IgnoreReason(StrEnum):
    """Why an understood request is no message of a customer."""

    UNKNOWN_TYPE = "unknown-type"
    BOT = "bot"
    NOT_EDITED = "not-edited"
    NO_SENDER = "no-sender"
    RATE_LIMITED = "rate-limited"
    SECOND_LEG = "second-leg"
    OUTBOUND_CALL = "outbound-call"
    ECHO = "echo"  # our own message, told back to us
    RECEIPT = "receipt"  # about something we sent: still under way, or named by nothing that we could find it by
    UNREADABLE_RECEIPT = "unreadable-receipt"  # refused, it would take what customers say in the same request with it
    INTERIM = "interim"  # a call or message still under way; the final word follows


class Rejected(Exception):
    """The sender is told no, with a problem document. `detail` and `errors` go to the sender and hold no secret."""

    def __init__(
        self,
        outcome: Outcome,
        status: int,
        title: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{status} {outcome}")
        self.outcome = outcome
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.headers = headers


class Undecodable(Rejected):
    """The request is genuine and cannot be read; sending it again will not help. Names the fields and their fix."""

    def __init__(self, *errors: FieldProblem, headers: Sequence[tuple[str, str]] = ()) -> None:
        detail = "; ".join(f"{error.field}: {error.message}" for error in errors)
        super().__init__(Outcome.UNDECODABLE, 400, "Request cannot be read", detail, errors=errors, headers=headers)


def wrong_field(field: str, message: str, documentation: str) -> Undecodable:
    """Return the refusal of one field, e.g. `body.data.id`; the page tells what it should be."""
    return Undecodable(FieldProblem(field=field, message=message, fix=f"See {documentation}"))


# How long a sender should wait before it tries again while Kafka or the object storage is away. Both come back within
# seconds or not soon; below a provider's own schedule this costs nothing.
RETRY_SECONDS = 5


def unavailable(outcome: Outcome, detail: str) -> Rejected:
    """Return the 503 that makes a provider try again later."""
    return Rejected(outcome, 503, "Try again later", detail, headers=(("retry-after", str(RETRY_SECONDS)),))


def bad_signature(challenge: str | None) -> Rejected:
    """Say no more than needed: which part was wrong would help only who guesses.

    :param challenge: for HTTP authentication, what RFC 9110 §11.6.1 wants to see in `WWW-Authenticate`.
    """
    return Rejected(
        Outcome.BAD_SIGNATURE,
        401,
        "Signature does not match",
        "The request is not signed with an active secret of this source.",
        headers=(("www-authenticate", challenge),) if challenge else (),
    )


def stale() -> Rejected:
    return Rejected(
        Outcome.STALE,
        401,
        "Signature is too old",
        "The signed time is farther from ours than this source allows, for most of them five minutes. "
        "Check the clock and sign again.",
    )
