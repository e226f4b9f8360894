"""Mails as bytes, written by hand: what is tested is how bytes are read."""

from ingest_email.read_mail import ReadMail, read_mail
from ingest_email.reading_limits import LIMITS, ReadingLimits

OWN_ADDRESS = "support@acme.example"


def raw_mail(*headers: bytes | str, body: bytes | str = b"Hello") -> bytes:
    """A mail of the given header lines over defaults for From, Subject and Message-ID."""
    lines = [line.encode() if isinstance(line, str) else line for line in headers]
    stated = {line.split(b":")[0].lower() for line in lines}
    defaults = (b"From: Ann <ann@customer.example>", b"Subject: Broken pump", b"Message-ID: <m1@customer.example>")
    lines += [line for line in defaults if line.split(b":")[0].lower() not in stated]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body.encode() if isinstance(body, str) else body)


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "edge") -> tuple[str, bytes]:
    """The Content-Type line and the body of a multipart mail."""
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
    return f"Content-Type: multipart/{kind}; boundary={boundary}", body + b"--%b--\r\n" % boundary.encode()


def read(
    raw: bytes,
    *,
    envelope_sender: str = "ann@customer.example",
    limits: ReadingLimits = LIMITS,
    headers_only: bool = False,
    trusted_server: str = "",
) -> ReadMail:
    """Read a mail as a worker does."""
    own = {OWN_ADDRESS, "*@own.example"}
    return read_mail(raw, envelope_sender, own, limits, headers_only=headers_only, trusted_server=trusted_server)
