"""The relay recognises a COMMIT however it is packed and prepared, and nothing else as one."""

from struct import pack

import pytest

from tests.support.frontend_messages import FrontendMessages, Message

STARTUP = pack("!II", 17, 196608) + b"user\0ann\0"
SSL_REQUEST = pack("!II", 8, 80877103)


def wire(kind: bytes, body: bytes) -> bytes:
    return kind + pack("!I", 4 + len(body)) + body


def started() -> FrontendMessages:
    messages = FrontendMessages()
    messages.feed(STARTUP)
    return messages


def only(messages: list[Message]) -> Message:
    (message,) = messages
    return message


@pytest.mark.parametrize("text", [b"COMMIT;", b"commit", b" COMMIT ; ", b"END"])
def test_a_simple_commit_is_seen(text: bytes) -> None:
    assert only(started().feed(wire(b"Q", text + b"\0"))).is_commit


def test_a_prepared_commit_is_seen() -> None:
    assert only(started().feed(wire(b"P", b"name\0COMMIT\0\0\0"))).is_commit


@pytest.mark.parametrize(
    ("kind", "body"),
    [(b"Q", b"BEGIN;\0"), (b"Q", b"SELECT 'COMMIT'\0"), (b"P", b"COMMIT\0SELECT 1\0\0\0"), (b"d", b"COMMIT;\0")],
)
def test_what_only_looks_like_a_commit_is_none(kind: bytes, body: bytes) -> None:
    assert not only(started().feed(wire(kind, body))).is_commit


def test_bytes_in_any_packing_give_the_same_messages() -> None:
    sent = SSL_REQUEST + STARTUP + wire(b"Q", b"BEGIN;\0") + wire(b"d", b"x" * 300) + wire(b"Q", b"COMMIT;\0")
    for size in (1, 7, 1000):
        messages = FrontendMessages()
        found = [each for at in range(0, len(sent), size) for each in messages.feed(sent[at : at + size])]
        assert [message.kind for message in found] == [b"", b"", b"Q", b"d", b"Q"]
        assert [message.is_commit for message in found] == [False, False, False, False, True]
        assert b"".join(message.wire for message in found) == sent
