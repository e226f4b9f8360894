"""Providers that give a token for a secret and a file for the token: one table, each row with every way to be wrong."""

import asyncio
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest
import stamina

from ingest_files.access_tokens import TokenKeeper
from ingest_files.errors import TryLater
from ingest_files.fetch_file import FileFetcher
from ingest_files.file_sources import FileSource
from ingest_files.guarded_http import GuardedClient
from ingest_files.schemes.registry import EXCHANGING, WITHOUT_SOMETIMES
from ingest_files.schemes.scheme import Access
from tests.support.partners.file_platforms import (
    CONTENT,
    PRIVATE,
    DingtalkFiles,
    DouyinFiles,
    FeishuFiles,
    FilePlatform,
    WechatFiles,
    WecomFiles,
)
from tests.unit.ingest_files.wire import Wire
from ticket_contracts.messages import RemoteFile
from ticket_contracts.vocabulary import FileState
from ticket_store.object_storage import ObjectStorage

MOST_BYTES = 1000


class Row(NamedTuple):
    """`locator` makes one of a file's id; `gone` is what is said of a file that is not there."""

    provider: str
    platform: Callable[[], FilePlatform]
    locator: str
    gone: str

    def of(self, file_id: str) -> str:
        return self.locator.format(file_id)


ROWS = [
    Row("feishu", FeishuFiles, "om_1/resources/{}?type=file", "Feishu does not give out the file (234003)"),
    Row("dingtalk", DingtalkFiles, "code={}&robot=robot-1", "DingTalk does not give out the file (unknownError)"),
    Row("wecom", WecomFiles, "{}", "WeCom does not give out the file (40007)"),
    Row("wecom-service", WecomFiles, "{}", "WeCom does not give out the file (40007)"),
    Row("wechat-official", WechatFiles, "{}", "WeChat does not give out the file (40007)"),
    Row(
        "douyin",
        DouyinFiles,
        "account=us%2B1&conversation=%40c%3D&message={}",
        "Douyin does not give out the file (28029020)",
    ),
]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.provider)


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


class Around:
    """A fetcher with one source of the row's provider, in front of the row's platform."""

    def __init__(self, row: Row, *secrets: str, platform: FilePlatform | None = None) -> None:
        self.row = row
        self.platform = platform or row.platform()
        self.clock = 1000.0
        self.storage = ObjectStorage.open("memory:///")
        tokens = secrets or (self.platform.secret,)
        access = Access(tokens, self.platform.api, self.platform.app_id, TokenKeeper(lambda: self.clock))
        client = httpx.AsyncClient(transport=Wire(self.platform))

        async def resolve(host: str, port: int) -> list[str]:
            return ["10.0.0.1" if host in ("inside.dingtalk.com", "switch.internal") else "8.8.8.8"]

        guarded = GuardedClient(client, MOST_BYTES, resolve)
        sources = {"source": FileSource(row.provider, access)}
        self.fetcher = FileFetcher(guarded, sources, self.storage.put, None)

    async def fetch(self, locator: str | None = None) -> RemoteFile:
        wanted = self.row.of("one") if locator is None else locator
        return await self.fetcher.fetch("source", RemoteFile(number=0, name="one.png", locator=wanted))


def test_the_table_has_every_provider_that_exchanges() -> None:
    assert {row.provider for row in ROWS} == EXCHANGING


@every_row
async def test_files_are_fetched_with_one_token_that_was_asked_for_once(row: Row) -> None:
    around = Around(row)
    files = await asyncio.gather(*(around.fetch() for _ in range(4)))
    for file in files:
        assert file.state is FileState.STORED, file.reason
        assert file.content is not None
        assert await around.storage.get(file.content.key) == CONTENT
    assert around.platform.exchanges == 1
    assert set(around.platform.schemes) == {"https"}


@every_row
async def test_before_its_end_the_token_is_renewed(row: Row) -> None:
    around = Around(row)
    await around.fetch()
    around.clock += 7200 - 299
    assert (await around.fetch()).state is FileState.STORED
    assert around.platform.exchanges == 2


@every_row
async def test_a_token_that_was_taken_back_is_renewed_once(row: Row) -> None:
    around = Around(row)
    await around.fetch()
    around.platform.end_tokens()
    assert (await around.fetch()).state is FileState.STORED
    assert around.platform.exchanges == 2


@every_row
async def test_a_platform_that_takes_none_of_its_tokens_is_asked_later(row: Row) -> None:
    around = Around(row)
    around.platform.takes_tokens = False
    with pytest.raises(TryLater, match="just given"):
        await around.fetch()
    assert around.platform.exchanges == 2


@every_row
async def test_a_wrong_secret_fails_and_says_what_to_set_in_both_languages(row: Row) -> None:
    file = await Around(row, "another-secret").fetch()
    assert file.state is FileState.FAILED
    assert "app_id and secrets" in file.reason
    assert "凭证" in file.reason
    assert "another-secret" not in file.reason


@every_row
async def test_while_a_secret_is_replaced_both_are_tried(row: Row) -> None:
    around = Around(row, "another-secret", row.platform().secret)
    assert (await around.fetch()).state is FileState.STORED
    assert (await around.fetch()).state is FileState.STORED
    assert around.platform.exchanges == 2  # one refusal and one token, each remembered


ANSWERS = {
    "busy": httpx.Response(503),
    "a page": httpx.Response(200, text="<html>"),
    "an empty object": httpx.Response(200, json={}),
    "deep": httpx.Response(200, content=b"[" * 60_000),
    "huge": httpx.Response(200, content=b" " * 70_000),
    "elsewhere": httpx.Response(302, headers={"location": PRIVATE}),
    "a foreign token": httpx.Response(200, json={"access_token": "a b", "expires_in": 1, "code": 0}),
}


@every_row
@pytest.mark.parametrize("answer", ANSWERS)
async def test_without_a_token_the_file_waits(row: Row, answer: str) -> None:
    around = Around(row)
    around.platform.token_answer = ANSWERS[answer]
    with pytest.raises(TryLater) as caught:
        await around.fetch()
    assert around.platform.secret not in str(caught.value)
    assert set(around.platform.hosts) == {around.platform.host}  # no redirect with a secret


@every_row
async def test_a_file_that_is_gone_is_failed_with_the_platforms_code(row: Row) -> None:
    around = Around(row)
    file = await around.fetch(row.of("gone"))
    assert (file.state, file.reason) == (FileState.FAILED, row.gone)
    assert around.platform.exchanges == 1


@every_row
async def test_who_asks_too_often_comes_later(row: Row) -> None:
    around = Around(row)
    around.platform.too_often = True
    with pytest.raises(TryLater):
        await around.fetch()


@every_row
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, content=b"x" * 1001), f"larger than {MOST_BYTES} bytes"),
        (httpx.Response(302, headers={"location": PRIVATE}), "none of the provider's addresses"),
        (httpx.Response(302, headers={"location": "https://evil.example/"}), "none of the provider's addresses"),
    ],
    ids=["huge", "to a private address", "to a stranger"],
)
async def test_a_file_that_is_too_large_or_elsewhere_is_failed(row: Row, answer: httpx.Response, reason: str) -> None:
    around = Around(row)
    around.platform.file_answer = answer
    file = await around.fetch()
    assert (file.state, reason in file.reason) == (FileState.FAILED, True), file.reason
    assert not {"169.254.169.254", "evil.example"} & set(around.platform.hosts)


@every_row
@pytest.mark.parametrize("content", [b'{"errcode": 42001, "code": 99991663}', b"{}", b"[1"])
async def test_a_file_that_looks_like_a_refusal_is_a_file(row: Row, content: bytes) -> None:
    around = Around(row)
    around.platform.files["one"] = content
    assert (await around.fetch()).size == len(content)


@every_row
@pytest.mark.parametrize("locator", ["../../x", "om_1/resources/../x?type=file", "", "%", "code=", "one?a=b&c=d"])
async def test_a_locator_that_is_none_is_failed(row: Row, locator: str) -> None:
    assert (await Around(row).fetch(locator)).state is FileState.FAILED


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.provider in WITHOUT_SOMETIMES], ids=lambda row: row.provider
)
async def test_without_credentials_the_file_says_what_is_missing(row: Row) -> None:
    file = await Around(row, "").fetch()
    assert file.state is FileState.FAILED
    assert "set app_id, secrets under `files`" in file.reason
    assert "未配置凭证" in file.reason


async def test_a_robot_that_is_not_named_is_the_application() -> None:
    row = next(row for row in ROWS if row.provider == "dingtalk")
    assert (await Around(row).fetch("code=one")).state is FileState.STORED


async def test_a_link_of_dingtalk_to_an_inner_address_is_not_followed() -> None:
    class Lying(DingtalkFiles):
        store = "inside.dingtalk.com"

    row = next(row for row in ROWS if row.provider == "dingtalk")
    file = await Around(row, platform=Lying()).fetch()
    assert (file.state, "not of the open internet" in file.reason) == (FileState.FAILED, True)


@pytest.mark.parametrize("locator", ["video", "http://mmbiz.qpic.cn/mmbiz_jpg/one/0"])
async def test_wechats_videos_and_pictures_are_asked_from_its_store_by_tls(locator: str) -> None:
    row = next(row for row in ROWS if row.provider == "wechat-official")
    around = Around(row)
    assert (await around.fetch(locator)).state is FileState.STORED
    assert set(around.platform.schemes) == {"https"}
    assert "203.205.158.71" not in around.platform.hosts


@pytest.mark.parametrize("code", [40164, 60020])
async def test_an_address_that_is_not_trusted_is_told(code: int) -> None:
    row = next(row for row in ROWS if row.provider == "wecom")
    around = Around(row)
    around.platform.token_answer = WecomFiles.error(code, "not allow to access from your ip, from ip: 49.74.77.205")
    file = await around.fetch()
    assert (file.state, "IP" in file.reason, "49.74" in file.reason) == (FileState.FAILED, True, False)


def test_no_secret_is_shown() -> None:
    assert "hush" not in repr(Access(("hush",), "", "app", TokenKeeper()))
