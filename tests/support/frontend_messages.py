"""Just enough of PostgreSQL's frontend protocol to see a COMMIT pass.

Source: PostgreSQL 18 documentation, chapter 54 "Frontend/Backend Protocol", §54.7 "Message Formats".
"""

from dataclasses import dataclass
from struct import unpack_from

_LENGTH = 4  # bytes of a message's length field, which counts itself
# The only request codes without a further start-up packet being due: after SSLRequest or GSSENCRequest, which our
# servers answer with "N", the client sends the real one.
_REQUESTS = frozenset({80877103, 80877104})
_QUERY, _PARSE = b"Q", b"P"


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it went over the wire; `kind` is empty for start-up packets."""

    kind: bytes
    wire: bytes

    @property
    def is_commit(self) -> bool:
        """Whether it asks for a COMMIT, as a simple query or as a statement to prepare."""
        body = self.wire[1 + _LENGTH :]
        if self.kind == _QUERY:
            text = body
        elif self.kind == _PARSE:
            text = body.partition(b"\0")[2]  # after the statement's name
        else:
            return False
        return text.partition(b"\0")[0].strip(b" \t\r\n;").upper() in (b"COMMIT", b"END", b"COMMIT TRANSACTION")


class FrontendMessages:
    """Cuts what a client sends into messages, however the bytes are packed."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._started = False

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are now complete; the rest waits for more bytes."""
        self._waiting += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> Message | None:
        kind_length = 1 if self._started else 0
        if len(self._waiting) < kind_length + _LENGTH:
            return None
        (length,) = unpack_from("!I", self._waiting, kind_length)
        size = kind_length + length
        if len(self._waiting) < size:
            return None
        wire = bytes(self._waiting[:size])
        del self._waiting[:size]
        if not self._started and unpack_from("!I", wire, _LENGTH)[0] not in _REQUESTS:
            self._started = True
        return Message(wire[:kind_length], wire)
