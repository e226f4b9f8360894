"""The client that asks providers: pinned, bounded, and deaf to redirects that lead elsewhere."""

from collections.abc import Iterator

import httpx
import pytest
import stamina

from ingest_files.domain.hosts import AllowedHosts
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient, by_tls
from tests.unit.ingest_files.wire import Handler, Wire

HOSTS = AllowedHosts(("provider.example",))
URL = "https://files.provider.example/one"
SECRET = {"authorization": "Bearer hush"}


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=2):
        yield


async def get(handler: Handler, url: str = URL, addresses: tuple[str, ...] = ("8.8.8.8",), most: int = 100) -> Answer:
    async def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    async with httpx.AsyncClient(transport=Wire(handler)) as client:
        return await GuardedClient(client, most, resolve).get(url, HOSTS, SECRET)


async def test_the_checked_address_is_the_one_that_is_asked_under_the_providers_name() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"a file", headers={"content-type": "image/png"})

    assert await get(answer) == Answer(200, "image/png", b"a file")
    [request] = seen
    assert request.url.host == "8.8.8.8"
    assert request.headers["host"] == "files.provider.example"
    assert request.extensions["sni_hostname"] == "files.provider.example"
    assert request.headers["authorization"] == "Bearer hush"


async def test_a_name_that_resolves_to_us_is_not_asked() -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    with pytest.raises(GiveUp, match="not of the open internet"):
        await get(never, addresses=("8.8.8.8", "169.254.169.254"))
    with pytest.raises(GiveUp, match="none of the provider's"):
        await get(never, url="https://elsewhere.example/")


def redirect_to(*places: str) -> tuple[Handler, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) <= len(places):
            return httpx.Response(302, headers={"location": places[len(seen) - 1]})
        return httpx.Response(200, content=b"a file")

    return answer, seen


async def test_a_redirect_is_followed_within_the_provider_and_secrets_stay_behind() -> None:
    answer, seen = redirect_to("https://cdn.provider.example/two", "/three")
    assert (await get(answer)).body == b"a file"
    assert [request.url.path for request in seen] == ["/one", "/two", "/three"]
    assert ["authorization" in request.headers for request in seen] == [True, False, False]


@pytest.mark.parametrize(
    "place", ["http://169.254.169.254/latest/meta-data/", "https://evil.example/", "http://files.provider.example/"]
)
async def test_a_redirect_elsewhere_is_refused(place: str) -> None:
    answer, seen = redirect_to(place)
    with pytest.raises(GiveUp):
        await get(answer)
    assert len(seen) == 1


async def test_redirects_end() -> None:
    answer, _ = redirect_to(*["/again"] * 9)
    with pytest.raises(GiveUp, match="redirects"):
        await get(answer)


async def test_what_is_too_large_is_not_kept_nor_unpacked() -> None:
    with pytest.raises(GiveUp, match="larger than 100 bytes"):
        await get(lambda request: httpx.Response(200, content=b"x" * 101))
    # Compressed although we asked for identity: the bytes as they came, not what they would become.
    answer = await get(lambda request: httpx.Response(200, content=b"\x1f\x8b!", headers={"x-was": "gzip"}))
    assert answer.body == b"\x1f\x8b!"


@pytest.mark.parametrize("status", [202, 408, 429, 500, 503])
async def test_a_provider_that_cannot_now_is_asked_again(status: int) -> None:
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(status)

    with pytest.raises(TryLater):
        await get(answer)
    assert asked == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_a_provider_that_will_not_is_not_asked_again(status: int) -> None:
    with pytest.raises(GiveUp, match=str(status)):
        await get(lambda request: httpx.Response(status))


async def test_a_broken_connection_is_for_later() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(TryLater, match="does not answer"):
        await get(broken)


async def call(handler: Handler, document: object = None) -> Answer:
    async def resolve(host: str, port: int) -> list[str]:
        return ["8.8.8.8"]

    async with httpx.AsyncClient(transport=Wire(handler)) as client:
        return await GuardedClient(client, 100, resolve).call(URL, HOSTS, SECRET, document)


async def test_an_api_is_asked_by_post_and_its_refusal_is_an_answer() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(400, json={"code": 7})

    assert (await call(answer, {"secret": "hush"})).body == b'{"code":7}'
    assert (await call(answer)).status == 400
    asked, plain = seen
    assert (asked.method, asked.content, plain.method) == ("POST", b'{"secret": "hush"}', "GET")
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["authorization"] == "Bearer hush"


@pytest.mark.parametrize("place", ["https://cdn.provider.example/two", "/two", "https://evil.example/"])
async def test_what_an_api_is_asked_goes_nowhere_else(place: str) -> None:
    answer, seen = redirect_to(*[place] * 9)
    with pytest.raises(TryLater, match="redirect"):
        await call(answer, {"secret": "hush"})
    assert {request.url.path for request in seen} == {"/one"}


async def test_what_is_longer_than_an_api_answers_is_something_else_that_spoke() -> None:
    with pytest.raises(TryLater, match="more than"):
        await call(lambda request: httpx.Response(200, content=b" " * 70_000))
    with pytest.raises(GiveUp, match="400"):
        await call(lambda request: httpx.Response(400, content=b" " * 70_000))


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://cdn.provider.example/a?b=%2B#c", "https://cdn.provider.example/a?b=%2B#c"),
        ("http://cdn.provider.example:80/a", "https://cdn.provider.example/a"),
        ("http://cdn.provider.example:8080/a", "http://cdn.provider.example:8080/a"),
        ("https://cdn.provider.example/a", "https://cdn.provider.example/a"),
        ("http://bot.internal/a", "http://bot.internal/a"),
    ],
)
def test_a_link_without_tls_is_asked_with_it(url: str, asked: str) -> None:
    assert by_tls(url, AllowedHosts((), frozenset({("http", "bot.internal", 80)}))) == asked
