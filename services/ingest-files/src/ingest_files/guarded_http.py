"""Asks a provider, and nobody else: each address is checked, pinned and bounded (facts §6.2)."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx
import stamina

from ingest_files.domain.addresses import all_open
from ingest_files.domain.hosts import AllowedHosts, origin_of
from ingest_files.errors import GiveUp, TryLater

MAX_REDIRECTS = 3
# Within one attempt; longer outages are for the next attempt, minutes later.
_QUICK_TRIES, _QUICK_SECONDS = 3, 10.0
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
# Far more than any answer of an API that gives a token or a link.
_API_BYTES = 64 * 1024

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""From a name to all its addresses."""
Sign = Callable[[str], Mapping[str, str]]
"""From a link to headers that are good for one request of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`is_file`: the provider says so itself, by a `content-disposition` (RFC 6266)."""

    status: int
    media_type: str
    body: bytes
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """`told_refusals`: a refusal (4xx) is an answer too, if it is no longer than an API's. `most` is in bytes.

    `sign` is asked for every request anew, repeats and redirects too.
    """

    headers: Mapping[str, str]
    method: str = "GET"
    content: bytes | None = field(default=None, repr=False)
    told_refusals: bool = False
    most: int = 0
    is_file: bool = True
    sign: Sign | None = field(default=None, repr=False)

    def headers_of(self, url: str) -> Mapping[str, str]:
        """What one request of a link has to bring."""
        return self.headers if self.sign is None else {**self.headers, **self.sign(url)}


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system's resolver.

    :raises TryLater:
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise TryLater(f"{host} has no address now") from error
    return [str(address[4][0]) for address in found]


class GuardedClient:
    """One per process. `max_bytes` is the most of any answer; credentials never follow to another origin."""

    def __init__(self, client: httpx.AsyncClient, max_bytes: int, ask: Resolve = resolve) -> None:
        self._client = client
        self.max_bytes = max_bytes
        self._resolve = ask

    async def get(
        self,
        url: str,
        hosts: AllowedHosts,
        secret_headers: Mapping[str, str] | None = None,
        *,
        told_refusals: bool = False,
        sign: Sign | None = None,
    ) -> Answer:
        """Return the answer with status 2xx.

        :param sign: for providers that want each request signed for itself.
        :param told_refusals: return 4xx as well, for providers that say in the body what is wrong.
        :raises GiveUp: refused by us or by the provider for good, or larger than allowed.
        :raises TryLater:
        """
        question = _Question(dict(secret_headers or {}), told_refusals=told_refusals, most=self.max_bytes, sign=sign)
        first = origin_of(_split(url))
        for _ in range(MAX_REDIRECTS + 1):
            parts = _split(url)
            if origin_of(parts) != first:
                question = replace(question, headers={}, sign=None)
            answer, location = await self._ask_soon(parts, hosts, question)
            if location is None:
                return answer
            url = _joined(url, location)
        raise GiveUp(f"more than {MAX_REDIRECTS} redirects")

    async def call(
        self, url: str, hosts: AllowedHosts, secret_headers: Mapping[str, str] | None = None, document: object = None
    ) -> Answer:
        """Ask an API: by POST with a document, by GET without. Return its answer, which may be a refusal (4xx).

        What is asked holds secrets: a redirect is not followed.

        :raises GiveUp: refused by us.
        :raises TryLater: also for a redirect and for what is longer than an API answers: something else spoke.
        """
        question = _Question(dict(secret_headers or {}), told_refusals=True, most=_API_BYTES, is_file=False)
        if document is not None:
            headers = {**question.headers, "content-type": "application/json"}
            content = json.dumps(document).encode()
            question = replace(question, method="POST", headers=headers, content=content)
        answer, location = await self._ask_soon(_split(url), hosts, question)
        if location is not None:
            raise TryLater("the provider's API answers with a redirect")
        return answer

    async def _ask_soon(self, url: SplitResult, hosts: AllowedHosts, question: _Question) -> tuple[Answer, str | None]:
        async for attempt in stamina.retry_context(on=TryLater, attempts=_QUICK_TRIES, timeout=_QUICK_SECONDS):
            with attempt:
                return await self._ask_once(url, hosts, question)
        raise AssertionError("unreachable: the context returns or raises")

    async def _ask_once(self, url: SplitResult, hosts: AllowedHosts, question: _Question) -> tuple[Answer, str | None]:
        address = await self._checked_address(url, hosts)
        host = url.hostname or ""
        pinned = url._replace(netloc=f"[{address}]:{_port(url)}" if ":" in address else f"{address}:{_port(url)}")
        request = self._client.build_request(
            question.method,
            pinned.geturl(),
            content=question.content,
            headers={
                **question.headers_of(url.geturl()),
                "host": url.netloc.rpartition("@")[2],
                "accept-encoding": "identity",
            },
            extensions={"sni_hostname": host},  # the certificate is checked against the name, not the address
        )
        try:
            response = await self._client.send(request, stream=True)
            try:
                return await _read(response, question)
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            raise TryLater(f"{host} does not answer: {type(error).__name__}") from error

    async def _checked_address(self, url: SplitResult, hosts: AllowedHosts) -> str:
        if not hosts.allow(url):
            raise GiveUp(f"the link leads to {url.hostname or 'nowhere'}, which is none of the provider's addresses")
        addresses = await self._resolve(url.hostname or "", _port(url))
        if not hosts.trusts(url) and not all_open(addresses):
            raise GiveUp(f"{url.hostname} resolves to an address that is not of the open internet")
        return addresses[0]


async def _read(response: httpx.Response, question: _Question) -> tuple[Answer, str | None]:
    status = response.status_code
    if status in _LATER or status == 202:  # LINE is still preparing the file
        raise TryLater(f"the provider answered {status}")
    location = response.headers.get("location")
    media_type = response.headers.get("content-type", "")
    if status in (301, 302, 303, 307, 308) and location:
        return Answer(status, media_type, b""), location
    good = 200 <= status < 300
    if not good and not (question.told_refusals and 400 <= status < 500):
        raise GiveUp(f"the provider answered {status}")
    body = await _body(response, question.most if good else _API_BYTES)
    if body is None and good and not question.is_file:
        raise TryLater(f"the provider's API answers more than {question.most} bytes")
    if body is None:
        raise GiveUp(f"larger than {question.most} bytes" if good else f"the provider answered {status}")
    return Answer(status, media_type, body, bool(response.headers.get("content-disposition"))), None


async def _body(response: httpx.Response, most: int) -> bytes | None:
    """Return None for what is larger."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():  # not decoded: a few bytes could become gigabytes
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def by_tls(url: str, hosts: AllowedHosts) -> str:
    """Ask the same by https where a provider writes http, as DingTalk and WeChat do.

    :raises GiveUp: it is no link.
    """
    parts = _split(url)
    if parts.scheme != "http" or parts.port not in (None, 80) or hosts.trusts(parts):
        return url
    return parts._replace(scheme="https", netloc=parts.netloc.removesuffix(":80")).geturl()


def _split(url: str) -> SplitResult:
    """Take a link apart. Customers choose some (LINE's external content, what they share at Meta).

    :raises GiveUp: it is no link that could be asked.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - checked when it is read
        (parts.hostname or "").encode("idna")  # what the resolver would do with it
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:  # UnicodeError is one
        raise GiveUp("the link is malformed") from error
    return parts


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise GiveUp("the provider redirects to what is no link") from error


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
