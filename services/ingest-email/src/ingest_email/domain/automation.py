"""Who wrote a mail: a person, a list, or a machine, and which kind of machine.

Sources: RFC 3834 (Auto-Submitted), RFC 3464 (delivery reports), RFC 8098 (read receipts), RFC 5965 (abuse reports),
RFC 2919 and 2369 (lists); `X-Auto-Response-Suppress` says "do not answer me" and nothing about its sender (MS-OXPROPS).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from ticket_contracts.vocabulary import Automation

HeaderValues = Callable[[str], list[str]]
"""All values of a header by its lower-case name, readable and in order."""

_LIST_HEADERS = ("list-id", "list-post", "list-unsubscribe", "list-help", "mailing-list")
_ANSWER_HEADERS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-auto-reply-from")
_SUPPRESSES_ANSWERS = {"all", "autoreply", "oof"}
_DAEMONS = {"mailer-daemon", "postmaster", "mail-daemon", "maildaemon"}
_UNATTENDED = {"noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "do_not_reply", "bounce", "bounces"}


@dataclass(frozen=True, slots=True)
class Origin:
    """What the classification looks at besides the headers. `report_type` is of multipart/report, "" for others."""

    sender: str
    null_envelope: bool
    report_type: str
    own_addresses: Collection[str]

    def is_own(self, address: str) -> bool:
        """Whether one of our mailboxes has it; `*@domain` stands for a whole domain."""
        return address in self.own_addresses or f"*@{address.rpartition('@')[2]}" in self.own_addresses


@dataclass(frozen=True, slots=True)
class Classification:
    """`may_auto_answer` is false for every machine and list, and for senders that ask not to be answered."""

    automation: Automation
    may_auto_answer: bool


def classify(headers: HeaderValues, origin: Origin) -> Classification:
    """Sort a mail by its headers; the first rule that holds decides."""
    automation = _automation(headers, origin)
    answerable = automation is Automation.HUMAN and not _refuses_answers(headers, origin)
    return Classification(automation, answerable)


def _automation(headers: HeaderValues, origin: Origin) -> Automation:
    submitted = _first_word(headers("auto-submitted"))
    precedence = _first_word(headers("precedence"))
    if _is_bounce(headers, origin):
        return Automation.BOUNCE
    if _is_automatic_answer(headers, origin, submitted, precedence):
        return Automation.AUTOMATIC_ANSWER
    if submitted not in ("", "no") or origin.null_envelope or origin.report_type or origin.is_own(origin.sender):
        return Automation.GENERATED
    if precedence in ("bulk", "list", "junk") or any(headers(name) for name in _LIST_HEADERS):
        return Automation.BULK
    return Automation.HUMAN


def _is_bounce(headers: HeaderValues, origin: Origin) -> bool:
    if origin.report_type == "delivery-status" or headers("x-failed-recipients"):
        return True
    return origin.null_envelope and _local_part(origin.sender) in _DAEMONS


def _is_automatic_answer(headers: HeaderValues, origin: Origin, submitted: str, precedence: str) -> bool:
    """Our own mail that came back (`X-Loop`) counts as one: it may join its thread, and must never start another."""
    if submitted == "auto-replied" or precedence in ("auto_reply", "auto-reply"):
        return True
    if origin.report_type == "disposition-notification":
        return True
    if any(value.strip().lower() != "no" for name in _ANSWER_HEADERS for value in headers(name)):
        return True
    return any(origin.is_own(value.strip().lower()) for value in headers("x-loop"))


def _refuses_answers(headers: HeaderValues, origin: Origin) -> bool:
    wishes = {word.strip().lower() for value in headers("x-auto-response-suppress") for word in value.split(",")}
    return bool(wishes & _SUPPRESSES_ANSWERS) or _local_part(origin.sender) in _UNATTENDED | _DAEMONS


def _first_word(values: list[str]) -> str:
    """RFC 3834 §5: the keyword, without comments and parameters."""
    words = values[0].split(";")[0].split("(")[0].split() if values else []
    return words[0].lower() if words else ""


def _local_part(address: str) -> str:
    return address.partition("@")[0]
