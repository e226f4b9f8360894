"""What a routing rule sees as `message`; docs/routing.md is the list for those who write rules."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from ticket_contracts.expressions import folded
from ticket_contracts.messages import MessageReceived

RULE_TEXT_CHARACTERS = 8_000
"""How much of the text rules look at: what an issue is about stands in its beginning, and it bounds a rule's time."""

View = dict[str, Any]


Read = Callable[[MessageReceived], Any]

_SENDER: dict[str, Read] = {
    "kind": lambda message: message.sender.kind,
    "value": lambda message: message.sender.value,
    "name": lambda message: message.sender.name,
}


def _words(message: MessageReceived) -> str:
    return folded(f"{message.subject}\n{message.text[:RULE_TEXT_CHARACTERS]}")


def _call(message: MessageReceived) -> View | None:
    return message.call.model_dump(exclude={"started_at"}) if message.call else None


_FIELDS: dict[str, Read] = {
    "channel": lambda message: message.channel,
    "kind": lambda message: message.kind,
    "source": lambda message: message.source,
    "brand": lambda message: message.brand,
    "account": lambda message: message.account,
    "recipients": lambda message: [recipient.value for recipient in message.recipients],
    "subject": lambda message: message.subject,
    "text": lambda message: message.text[:RULE_TEXT_CHARACTERS],
    "words": _words,
    "automation": lambda message: message.automation,
    "has_attachments": lambda message: bool(message.attachments),
    "attachments": lambda message: [attachment.name for attachment in message.attachments],
    "call": _call,
}

_MEMBER = re.compile(r"\bmessage\s*\.\s*([a-z_]+)(?:\s*\.\s*([a-z_]+))?")
_WHOLE = re.compile(r"\bmessage\b(?!\s*\.)")  # e.g. message["text"], or the bare variable


def view_for(expressions: Iterable[str]) -> Callable[[MessageReceived], View]:
    """Return a function that shows a message to these expressions, without the fields that none of them names.

    Handing a field over costs more than evaluating a rule. A field without a value (`call` of an e-mail) is absent,
    so that `has(message.call)` works.
    """
    source = "\n".join(expressions)
    named: set[tuple[str, str]] = set(_MEMBER.findall(source))
    everything = _WHOLE.search(source) is not None
    members = {first for first, _ in named}
    fields = [(name, read) for name, read in _FIELDS.items() if everything or name in members]
    of_sender = {second for first, second in named if first == "sender"}
    whole_sender = everything or not of_sender <= _SENDER.keys()
    sender = [(name, read) for name, read in _SENDER.items() if whole_sender or name in of_sender]

    def view(message: MessageReceived) -> View:
        shown = {name: value for name, read in fields if (value := read(message)) is not None}
        if sender:
            shown["sender"] = {name: read(message) for name, read in sender}
        return shown

    return view
