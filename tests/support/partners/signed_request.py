"""What all senders have in common: a request ready to send, and the ways in which it can be wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpx


class Way(StrEnum):
    """How a request is sent."""

    GOOD = "good"
    REPEATED = "repeated"  # the message sent last, once more, as the provider repeats it
    STALE = "stale"  # rightly signed ten minutes ago
    FORGED = "forged"  # signed with a secret that is not ours
    ROTATED = "rotated"  # signed with the source's other secret
    OVERSIZED = "oversized"
    MALFORMED = "malformed"  # rightly signed and not readable
    UNKNOWN_TYPE = "unknown-type"


STALE_SECONDS = 600
# Above the default limit of one request, 1 MiB, and below what is read before the connection is closed.
OVERSIZED_BYTES = 1_200_000


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it goes over the wire; `query` is without its question mark."""

    headers: Mapping[str, str]
    body: bytes
    query: str = ""
    method: str = "POST"


async def deliver(client: httpx.AsyncClient, address: str, request: SignedRequest) -> httpx.Response:
    """Send the request to a source's address."""
    url = f"{address}?{request.query}" if request.query else address
    headers = [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()]
    return await client.request(request.method, url, headers=headers, content=request.body)
