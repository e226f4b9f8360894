"""What our own mail server found out about a mail's sender (RFC 8601, RFC 7489), and nobody else's word for it.

Anybody may write an `Authentication-Results` header. Only those that name the trusted server count, and of those only
the ones it put on top: reading ends at the first `Received` below one, since what is further down came with the mail.
A trusted server must also remove headers that claim to be its own (RFC 8601 §5); where it did not, the worst word wins.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from ingest_email.domain.header_text import unfolded
from ticket_contracts.messages import Authentication
from ticket_contracts.vocabulary import AuthenticationResult

MOST_RESULTS = 50
_LONGEST = 8 * 1024  # characters of one header; real ones have some hundred

_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\s*([\w-]+)\s*(?:/\s*\d+\s*)?=\s*([\w-]+)")
_METHODS = ("dmarc", "spf", "dkim")
_RESULTS: Mapping[str, AuthenticationResult] = {
    "pass": AuthenticationResult.PASS,
    "fail": AuthenticationResult.FAIL,
    "permerror": AuthenticationResult.FAIL,
    "softfail": AuthenticationResult.UNDECIDED,
    "temperror": AuthenticationResult.UNDECIDED,
    "neutral": AuthenticationResult.UNDECIDED,
    "policy": AuthenticationResult.UNDECIDED,
    "none": AuthenticationResult.UNDECIDED,
}
_WORST_FIRST = (AuthenticationResult.FAIL, AuthenticationResult.UNDECIDED, AuthenticationResult.PASS)


def read_results(fields: Iterable[tuple[str, str]], trusted: str) -> Authentication | None:
    """Return the trusted server's results from a mail's header fields in order; None when it said nothing."""
    found: dict[str, list[AuthenticationResult]] = {}
    for value in _trusted_values(fields, trusted.lower()) if trusted else ():
        for method, result in _results(value):
            found.setdefault(method, []).append(result)
    if not found:
        return None
    # Several signatures are several results: one that holds is enough (RFC 6376 §6.1). Of the others there is one.
    words: dict[str, AuthenticationResult] = {
        method: min(found[method], key=_WORST_FIRST.index) for method in ("dmarc", "spf") if method in found
    }
    if "dkim" in found:
        words["dkim"] = max(found["dkim"], key=_WORST_FIRST.index)
    return Authentication(**words)


def _trusted_values(fields: Iterable[tuple[str, str]], trusted: str) -> Iterator[str]:
    seen = False
    for name, value in fields:
        if name == "received" and seen:
            return
        if name == "authentication-results":
            server, _, results = _plain(value).partition(";")
            words = server.split()
            if words and words[0].lower() == trusted:  # a version number may follow
                seen = True
                yield results


def _plain(value: str) -> str:
    """The value without comments, which may hold anything, and nest."""
    line, shorter = unfolded(value[:_LONGEST]), ""
    for _ in range(10):
        shorter = _COMMENT.sub(" ", line)
        if shorter == line:
            break
        line = shorter
    return line


def _results(value: str) -> Iterator[tuple[str, AuthenticationResult]]:
    for piece in value.split(";")[:MOST_RESULTS]:
        stated = _RESULT.match(piece)
        if stated is not None and stated.group(1).lower() in _METHODS:
            yield stated.group(1).lower(), _RESULTS.get(stated.group(2).lower(), AuthenticationResult.UNDECIDED)
