"""Each provider's way to a file, what is seen in it, and the scanner's word."""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import httpx
import pytest
import stamina

from ingest_files.errors import NotItsFault, TryLater
from ingest_files.fetch_file import FileFetcher
from ingest_files.file_sources import FileSource
from ingest_files.guarded_http import GuardedClient
from ingest_files.scan_file import Scanner, ScannerAway
from ingest_files.schemes.registry import SCHEMES
from ingest_files.schemes.scheme import Access
from tests.support.partners.clamd import EICAR, FOUND, clamd
from tests.unit.ingest_files.wire import Handler, Wire
from ticket_contracts.messages import RemoteFile
from ticket_contracts.vocabulary import Danger, FileState, Scan
from ticket_store.object_storage import ObjectStorage

PHOTO = b"\x89PNG and so on"


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


def provider(request: httpx.Request) -> httpx.Response:
    """All providers at once; what is asked wrongly is 404."""
    host, path = request.headers["host"], request.url.path
    login = request.headers.get("authorization", "")
    told = f"{host}{path}"
    match told:
        case "files.slack.com/f/one" if login == "Bearer token":
            return httpx.Response(200, content=PHOTO, headers={"content-type": "image/png"})
        case "files.slack.com/f/one":
            return httpx.Response(200, text="<!doctype html>sign in", headers={"content-type": "text/html"})
        case "api.telegram.org/bottoken/getFile" if request.url.params["file_id"] == "one/1":
            return httpx.Response(200, json={"ok": True, "result": {"file_path": "photos/one.png"}})
        case "api.telegram.org/file/bottoken/photos/one.png":
            return httpx.Response(200, content=PHOTO)
        case "graph.facebook.com/v23.0/17" if login == "Bearer token":
            link = "https://lookaside.fbsbx.com/whatsapp?mid=17"
            return httpx.Response(200, json={"url": link, "sha256": sha256(PHOTO).hexdigest()})
        case "lookaside.fbsbx.com/whatsapp" if login == "Bearer token":
            return httpx.Response(200, content=PHOTO)
        case "api-data.line.me/v2/bot/message/18/content" if login == "Bearer token":
            return httpx.Response(200, content=PHOTO)
        case "api.twilio.com/media/19" if login == "Basic QUM6d29yZA==":
            return httpx.Response(307, headers={"location": "https://mms.twiliocdn.com/19"})
        case "mms.twiliocdn.com/19" if not login:
            return httpx.Response(200, content=PHOTO)
        case "scontent.xx.fbcdn.net/one":
            return httpx.Response(200, content=PHOTO)
    return httpx.Response(404)


class Surroundings:
    """A fetcher with one source of each provider."""

    def __init__(self, handler: Handler = provider, scanner: Scanner | None = None) -> None:
        self.storage = ObjectStorage.open("memory:///")
        tokens = {"twilio-sms": "AC:word"}
        sources = {name: FileSource(name, Access((tokens.get(name, "token"),))) for name in SCHEMES}
        sources["rotated"] = FileSource("slack", Access(("old", "token")))
        client = httpx.AsyncClient(transport=Wire(handler))

        async def resolve(host: str, port: int) -> list[str]:
            return ["8.8.8.8"]

        self.fetcher = FileFetcher(GuardedClient(client, 10_000_000, resolve), sources, self.storage.put, scanner)

    async def fetch(self, source: str, locator: str, name: str = "one.png") -> RemoteFile:
        return await self.fetcher.fetch(source, RemoteFile(number=0, name=name, locator=locator))


@pytest.mark.parametrize(
    ("source", "locator"),
    [
        ("slack", "https://files.slack.com/f/one"),
        ("rotated", "https://files.slack.com/f/one"),
        ("telegram", "one/1"),
        ("whatsapp", "17"),
        ("line", "18"),
        ("twilio-sms", "https://api.twilio.com/media/19"),
        ("messenger", "https://scontent.xx.fbcdn.net/one"),
        ("instagram", "https://scontent.xx.fbcdn.net/one"),
    ],
)
async def test_a_file_is_fetched_the_providers_way_and_stored_by_its_content(source: str, locator: str) -> None:
    around = Surroundings()
    file = await around.fetch(source, locator)
    assert file.state is FileState.STORED, file.reason
    assert file.content is not None
    assert await around.storage.get(file.content.key) == PHOTO
    assert (file.size, file.danger, file.scan) == (len(PHOTO), None, None)


@pytest.mark.parametrize(
    ("source", "locator", "reason"),
    [
        ("telegram", "gone", "404"),
        ("whatsapp", "../../me", "404"),
        ("slack", "https://evil.example/f", "none of the provider's addresses"),
        ("line", "https://evil.example/f", "none of the provider's addresses"),
    ],
)
async def test_what_cannot_be_had_is_failed_with_the_reason(source: str, locator: str, reason: str) -> None:
    file = await Surroundings().fetch(source, locator)
    assert file.state is FileState.FAILED
    assert reason in file.reason
    assert file.content is None


async def test_a_source_that_is_not_read_yet_is_waited_for() -> None:
    with pytest.raises(TryLater, match="no `files`"):
        await Surroundings().fetch("nobody", "1")


async def test_a_login_page_is_not_taken_for_the_file() -> None:
    around = Surroundings(lambda request: httpx.Response(200, text="<html>", headers={"content-type": "text/html"}))
    file = await around.fetch("slack", "https://files.slack.com/f/one")
    assert (file.state, "files:read" in file.reason) == (FileState.FAILED, True)


async def test_another_content_than_whatsapp_announced_is_fetched_again() -> None:
    def swapped(request: httpx.Request) -> httpx.Response:
        about = {"url": "https://lookaside.fbsbx.com/x", "sha256": "0" * 64}
        return httpx.Response(200, content=json.dumps(about).encode())

    with pytest.raises(TryLater, match="announced"):
        await Surroundings(swapped).fetch("whatsapp", "17")


async def test_a_program_is_flagged_and_kept() -> None:
    around = Surroundings(lambda request: httpx.Response(200, content=b"MZ\x90"))
    assert (await around.fetch("line", "18", name="setup.exe")).danger is Danger.PROGRAM
    assert (await around.fetch("line", "18", name="photo.jpg")).danger is Danger.DISGUISED


async def scanned(content: bytes, **settings: object) -> tuple[RemoteFile, ObjectStorage]:
    async with clamd(**settings) as partner:
        scanner = Scanner(*partner.address, seconds=5)
        around = Surroundings(lambda request: httpx.Response(200, content=content), scanner)
        return await around.fetch("line", "18"), around.storage


async def test_a_clean_file_is_stored_and_says_so() -> None:
    file, _ = await scanned(PHOTO)
    assert (file.state, file.scan) == (FileState.STORED, Scan.CLEAN)


async def test_an_infected_file_is_named_and_never_stored() -> None:
    file, storage = await scanned(EICAR)
    assert (file.state, file.scan, file.reason) == (FileState.INFECTED, Scan.INFECTED, FOUND)
    assert file.content is None
    with pytest.raises(LookupError):
        await storage.get(f"sha256/{sha256(EICAR).hexdigest()}")


@pytest.mark.parametrize("size", [1000, 5_000_000])
async def test_a_file_that_the_scanner_does_not_take_is_failed(size: int) -> None:
    file, _ = await scanned(b"x" * size, most_bytes=10)
    assert (file.state, "StreamMaxLength" in file.reason) == (FileState.FAILED, True)


@pytest.mark.parametrize("answer", [b"", b"stream: cannot ERROR\0", b"nonsense\0", b"x" * 100_000])
async def test_without_a_verdict_the_file_is_tried_again(answer: bytes) -> None:
    with pytest.raises(TryLater, match="scanner") as caught:
        await scanned(PHOTO, answer=answer)
    assert not isinstance(caught.value, NotItsFault)  # it answers a PING: the file may be at fault


async def test_without_a_scanner_that_answers_the_file_is_tried_again() -> None:
    around = Surroundings(lambda request: httpx.Response(200, content=PHOTO), Scanner("127.0.0.1", 1, seconds=5))
    with pytest.raises(ScannerAway, match="scanner does not answer"):
        await around.fetch("line", "18")


async def test_a_scanner_that_is_silent_to_everybody_is_away() -> None:
    with pytest.raises(ScannerAway):
        await scanned(PHOTO, silent=True)


@pytest.mark.parametrize(
    "link",
    [
        "https://files.slack.com:99999/f",
        "https://[x/",
        "https://a..slack.com/f",
        f"https://{'a' * 70}.slack.com/f",
        "https://files.slack.com/\x00",
    ],
)
@pytest.mark.parametrize("source", ["slack", "line", "messenger"])
async def test_a_link_that_is_none_is_failed_and_harms_nobody_else(source: str, link: str) -> None:
    assert (await Surroundings().fetch(source, link)).state is FileState.FAILED


@pytest.mark.parametrize("source", ["line", "messenger"])
async def test_a_link_that_a_customer_chose_does_not_lead_to_the_server_that_the_operator_trusts(source: str) -> None:
    around = Surroundings(lambda _: httpx.Response(200, content=PHOTO))
    trusted = FileSource(source, Access(("token",), "http://10.0.0.5:8081"))
    around.fetcher = replace(around.fetcher, sources={source: trusted})
    assert (await around.fetch(source, "http://10.0.0.5:8081/admin")).state is FileState.FAILED
