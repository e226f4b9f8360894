"""Providers with tokens that are made by hand: Weibo, and X, where each request is signed."""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, unquote

import httpx
import pytest
import stamina

from ingest_files.errors import TryLater
from ingest_files.fetch_file import FileFetcher
from ingest_files.file_sources import FileSource
from ingest_files.guarded_http import GuardedClient
from ingest_files.schemes.scheme import Access
from tests.unit.ingest_files.wire import Handler, Wire
from ticket_contracts.messages import RemoteFile
from ticket_contracts.vocabulary import FileState
from ticket_store.object_storage import ObjectStorage

X_TOKEN = "key:key-secret:ours:ours-secret"
DIRECT = "https://ton.twitter.com/1.1/ton/data/dm/1034828552951160836/1034828533812486145/oP5p359h.jpg"
PUBLIC = "https://pbs.twimg.com/media/one.jpg"
FILM = "https://video.twimg.com/ext_tw_video/1/pu/vid/1280x720/one.mp4?tag=12"


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


async def fetch(provider: str, token: str, locator: str, handler: Handler) -> RemoteFile:
    async def resolve(host: str, port: int) -> list[str]:
        return ["8.8.8.8"]

    client = GuardedClient(httpx.AsyncClient(transport=Wire(handler)), 1000, resolve)
    sources = {"source": FileSource(provider, Access((token,)))}
    fetcher = FileFetcher(client, sources, ObjectStorage.open("memory:///").put, None)
    return await fetcher.fetch("source", RemoteFile(number=0, name="one", locator=locator))


def weibo(code: int = 0, status: int = 400) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = request.headers["host"], request.url.path, dict(request.url.params)
        if code:
            return httpx.Response(status, json={"error": "words", "error_code": code, "request": "/2/mss/msget"})
        found = asked == ("upload.api.weibo.com", "/2/mss/msget", {"access_token": "2.00x", "fid": "821804469"})
        return httpx.Response(200 if found else 404, content=b"a picture")

    return answer


async def test_weibo_gives_a_file_by_its_id() -> None:
    assert (await fetch("weibo", "2.00x", "821804469", weibo())).state is FileState.STORED


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize(
    ("code", "reason"), [(21327, "make another"), (21332, "access_token 已失效"), (20101, "20101")]
)
async def test_what_weibo_does_not_give_is_failed(code: int, reason: str, status: int) -> None:
    file = await fetch("weibo", "2.00x", "821804469", weibo(code, status))
    assert (file.state, reason in file.reason) == (FileState.FAILED, True)
    assert "2.00x" not in file.reason


async def test_weibo_asked_too_often_is_asked_later() -> None:
    with pytest.raises(TryLater):
        await fetch("weibo", "2.00x", "821804469", weibo(10023, 403))


def is_signed(request: httpx.Request, url: str, token: str) -> bool:
    """RFC 5849, section 3.4, calculated by hand for a request without a query."""
    scheme, _, written = request.headers.get("authorization", "").partition(" ")
    values = dict(re.findall(r'(\w+)="([^"]*)"', written))
    signature = unquote(values.pop("oauth_signature", ""))
    _, key_secret, _, ours_secret = token.split(":")
    parameters = quote("&".join(f"{name}={values[name]}" for name in sorted(values)), safe="")
    text = f"GET&{quote(url, safe='')}&{parameters}"
    expected = b64encode(hmac.digest(f"{key_secret}&{ours_secret}".encode(), text.encode(), "sha1")).decode()
    return scheme == "OAuth" and values["oauth_token"] == "ours" and hmac.compare_digest(signature, expected)


def x(request: httpx.Request) -> httpx.Response:
    url = f"https://{request.headers['host']}{request.url.path}"
    if url in (PUBLIC, FILM.partition("?")[0]):
        assert "authorization" not in request.headers, "signed for who need not know"
        return httpx.Response(200, content=b"a picture")
    return httpx.Response(200 if url == DIRECT and is_signed(request, url, X_TOKEN) else 401, content=b"a picture")


@pytest.mark.parametrize("locator", [DIRECT, PUBLIC, FILM])
async def test_x_gives_what_came_in_a_direct_message_to_whom_it_came(locator: str) -> None:
    assert (await fetch("x", X_TOKEN, locator, x)).state is FileState.STORED


@pytest.mark.parametrize(
    ("token", "locator", "reason"),
    [
        ("", DIRECT, "set tokens"),
        ("key:another:ours:ours-secret", DIRECT, "401"),
        (X_TOKEN, "https://ton.twitter.com.evil.example/a", "none of the provider's addresses"),
        (X_TOKEN, "http://ton.twitter.com/a", "none of the provider's addresses"),
        (X_TOKEN, "https://ton.twitter.com/a?b=%zz", "malformed"),
        (X_TOKEN, "https://[/", "malformed"),
    ],
)
async def test_what_x_does_not_give_is_failed(token: str, locator: str, reason: str) -> None:
    file = await fetch("x", token, locator, x)
    assert (file.state, reason in file.reason) == (FileState.FAILED, True), file.reason


async def test_without_credentials_public_files_are_fetched() -> None:
    assert (await fetch("x", "", PUBLIC, x)).state is FileState.STORED


async def test_a_signature_does_not_follow_a_redirect() -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        if request.headers["host"] == "ton.twitter.com":
            return httpx.Response(302, headers={"location": PUBLIC})
        return x(request)

    assert (await fetch("x", X_TOKEN, DIRECT, elsewhere)).state is FileState.STORED


class StrictX:
    """X as RFC 5849 §3.3 has it: a nonce is good once. It is away for the first request, and has moved the file."""

    def __init__(self) -> None:
        self.nonces: set[str] = set()
        self.answers = iter((503, 302, 200))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        [nonce] = re.findall(r'oauth_nonce="([^"]+)"', request.headers["authorization"])
        if nonce in self.nonces or not is_signed(request, f"https://ton.twitter.com{request.url.path}", X_TOKEN):
            return httpx.Response(401)
        self.nonces.add(nonce)
        return httpx.Response(next(self.answers), content=b"a picture", headers={"location": f"{DIRECT}/moved"})


async def test_each_request_to_x_is_signed_for_itself_repeats_and_redirects_too() -> None:
    strict = StrictX()
    with stamina.set_testing(True, attempts=2):
        assert (await fetch("x", X_TOKEN, DIRECT, strict)).state is FileState.STORED
    assert len(strict.nonces) == 3
