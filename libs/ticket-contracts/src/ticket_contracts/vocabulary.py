"""Closed sets of words: a value outside them is a defect of the sender, never a new meaning."""

from enum import StrEnum


class Channel(StrEnum):
    """How the customer reached us."""

    EMAIL = "email"
    PHONE = "phone"
    CHAT = "chat"
    SMS = "sms"
    SOCIAL = "social"  # written in public, or to a public account
    WEB = "web"


class IdentityKind(StrEnum):
    """What a contact's identity is; (kind, value) is unique over all contacts."""

    EMAIL = "email"
    PHONE = "phone"  # E.164; WhatsApp and SMS too, so that a caller and a writer are one contact
    SLACK = "slack"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    WHATSAPP = "whatsapp"  # only where no number is told
    TELEGRAM = "telegram"
    LINE = "line"
    X = "x"
    WECOM = "wecom"
    WECHAT = "wechat"
    WEIBO = "weibo"
    DOUYIN = "douyin"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    GITHUB = "github"
    EXTERNAL = "external"


class MessageKind(StrEnum):
    """What the provider says happened to a message."""

    CREATED = "created"
    EDITED = "edited"
    DELETED = "deleted"
    ATTACHMENT = "attachment"  # not the customer: what became of a file of the message with the same provider id
    STATUS = "status"  # not the customer: what became of a message of ours on its way to the customer


class DeliveryState(StrEnum):
    """What a channel says became of a message of ours."""

    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


class FileState(StrEnum):
    """Where a file of a message is: one that the provider keeps for us, or one that came inside the message."""

    PENDING = "pending"  # to be fetched or scanned
    STORED = "stored"
    FAILED = "failed"  # given up; the reason says why
    INFECTED = "infected"  # found by the scanner; not kept, or kept and given to nobody


class Danger(StrEnum):
    """Why a file may harm whoever opens it, by its name and its first bytes."""

    PROGRAM = "program"  # something that runs: executables, scripts, installers, shortcuts
    MACROS = "macros"  # a document that may carry programs
    DISGUISED = "disguised"  # its name says one thing, its content is a program or a page


class Scan(StrEnum):
    """What a virus scanner said."""

    CLEAN = "clean"
    INFECTED = "infected"


class Automation(StrEnum):
    """Who wrote a message: RFC 3834 (Auto-Submitted), RFC 3464 (delivery reports), RFC 2919 (lists)."""

    HUMAN = "human"
    AUTOMATIC_ANSWER = "automatic-answer"
    BOUNCE = "bounce"
    GENERATED = "auto-generated"
    BULK = "bulk"

    @property
    def starts_tickets(self) -> bool:
        """Bounces and automatic answers join a known thread or are recorded; everything else opens a ticket."""
        return self not in (Automation.AUTOMATIC_ANSWER, Automation.BOUNCE)


class AuthenticationResult(StrEnum):
    """What a mail server found when it checked a sender (RFC 8601): neither of the first two is `undecided`."""

    PASS = "pass"  # noqa: S105 - RFC 8601's word for a good result
    FAIL = "fail"
    UNDECIDED = "undecided"


class Priority(StrEnum):
    """Ordered from the least to the most pressing."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Status(StrEnum):
    """The fixed categories behind every configurable status name."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"  # waits for the customer
    ON_HOLD = "on-hold"  # waits for a third party
    SOLVED = "solved"
    CLOSED = "closed"


class Grade(StrEnum):
    """How far a problem reaches (impact) and how soon it hurts (urgency): the two sides of a priority matrix."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class LinkKind(StrEnum):
    """What another ticket is to this one; each kind read from the other side stands beside it."""

    DUPLICATE_OF = "duplicate-of"
    DUPLICATED_BY = "duplicated-by"
    RELATED = "related"
    PROBLEM = "problem"  # the problem record behind this incident
    INCIDENT = "incident"  # an incident that this problem record explains

    @property
    def reverse(self) -> "LinkKind":
        """What this ticket is to the other one."""
        return _REVERSE.get(self, self)


_REVERSE = {
    LinkKind.DUPLICATE_OF: LinkKind.DUPLICATED_BY,
    LinkKind.DUPLICATED_BY: LinkKind.DUPLICATE_OF,
    LinkKind.PROBLEM: LinkKind.INCIDENT,
    LinkKind.INCIDENT: LinkKind.PROBLEM,
}


class ActorKind(StrEnum):
    """Who caused an event."""

    CUSTOMER = "customer"
    AGENT = "agent"
    MACHINE = "machine"


class Metric(StrEnum):
    """What a clock measures (sla-rules, vocabulary)."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    UPDATE = "update"
    RESOLUTION = "resolution"


class ClockStatus(StrEnum):
    """The life of one clock. `breached` keeps running in lateness until it is stopped."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"
