"""微信客服: a callback wakes, the messages are read by cursor, and nothing depends on the callback."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from ingest_pull.kinds.parts import SecretsWrong
from ingest_pull.kinds.wecom_service import WecomService
from ingest_pull.receive_callback import CallbackApp
from ingest_pull.wecom_api import ApiBusy, ApiRefused
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.support.partners.wecom import WecomSender
from tests.support.partners.wecom_service import ACCOUNT, CORPORATION, CUSTOMER, SECRET, WecomServiceApi
from tests.unit.ingest_pull.pulling import Desk
from ticket_contracts.vocabulary import FileState, IdentityKind, MessageKind
from ticket_stream.leased_jobs import StoreAway

CALLBACK = "QDG6eK:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
MOMENT = 1_795_690_800.0


class Corporation:
    """The API, a desk that asks it, and who calls."""

    def __init__(self) -> None:
        self.api = WecomServiceApi()
        self.desk = Desk(httpx.AsyncClient(transport=httpx.ASGITransport(self.api)))
        self.sender = WecomSender(CALLBACK, lambda: MOMENT, receiver_id=CORPORATION, account=CORPORATION)
        self.job = self.build()

    def build(self, **options: Any) -> WecomService:
        options = {"corporation": CORPORATION, "accounts": [ACCOUNT]} | options
        job = self.desk.build("wecom-service", [SECRET], [CALLBACK], **options)
        assert isinstance(job, WecomService)
        return job

    def read(self) -> list[Any]:
        return self.desk.run(self.job)


@pytest.fixture
def corporation() -> Corporation:
    return Corporation()


def test_what_customers_say_is_read_page_by_page_and_once(corporation: Corporation) -> None:
    for number in range(5):
        corporation.api.say(f"m{number}")
    assert [message.provider_id for message in corporation.read()] == ["m0", "m1", "m2", "m3", "m4"]
    assert corporation.desk.cursor == {"accounts": {ACCOUNT: "5:x"}}
    assert corporation.read() == []
    assert corporation.api.tokens_given == 1


def test_a_message_has_its_customer_its_conversation_and_its_time(corporation: Corporation) -> None:
    corporation.api.say("m1", "退款多久到账？")
    [message] = corporation.read()
    assert (message.text, message.subject) == ("退款多久到账？", "退款多久到账？")
    assert (message.sender.kind, message.sender.value) == (IdentityKind.WECOM, f"{CORPORATION}/{CUSTOMER}")
    assert message.conversation.key == f"{ACCOUNT}/{CUSTOMER}"
    assert message.sent_at is not None
    assert message.sent_at.timestamp() == MOMENT


@pytest.mark.parametrize(
    ("kind", "content", "text", "stays"),
    [
        ("image", {"media_id": "MEDIA-1"}, "", "The image stays at WeCom: MEDIA-1"),
        ("voice", {"media_id": "MEDIA-2"}, "", "The voice stays at WeCom: MEDIA-2"),
        ("link", {"title": "订单", "desc": "47", "url": "https://e.example/1"}, "订单\n47\nhttps://e.example/1", ""),
        ("location", {"name": "门店", "address": "南京路 1 号", "latitude": 31.2, "longitude": 121.5},
         "门店\n南京路 1 号\n31.2\n121.5", ""),
        ("from_the_future", {}, "", "The from_the_future stays at WeCom: no media id given"),
    ],
)  # fmt: skip
def test_each_kind_of_message_is_put_into_words(
    corporation: Corporation, kind: str, content: dict[str, Any], text: str, stays: str
) -> None:
    fields: dict[str, Any] = {"msgtype": kind, kind: content}
    corporation.api.say("m1", **fields)
    [message] = corporation.read()
    assert message.text == text
    assert message.reading_problems == ((stays,) if stays else ())


def test_with_credentials_for_files_what_customers_send_is_on_its_way(corporation: Corporation) -> None:
    corporation.desk.fetches_files = True
    job = corporation.build()
    corporation.api.say("m1", msgtype="image", image={"media_id": "MEDIA-1"})
    corporation.api.say("m2", msgtype="image", image={})
    corporation.api.say("m3")
    fetched, without_id, words = corporation.desk.run(job)
    [file] = fetched.files
    assert (file.name, file.locator, file.state) == ("image", "MEDIA-1", FileState.PENDING)
    assert fetched.reading_problems == ()
    assert (without_id.files, words.files) == ((), ())
    assert without_id.reading_problems == ("The image stays at WeCom: no media id given",)


def test_what_agents_and_the_system_say_is_no_customers_message(corporation: Corporation) -> None:
    corporation.api.say("m1", origin=5)
    corporation.api.say("m2", origin=4, msgtype="event", event={"event_type": "enter_session", "scene": "123"})
    assert corporation.read() == []
    assert corporation.desk.cursor["accounts"] == {ACCOUNT: "2:x"}


def test_a_message_that_the_customer_takes_back_is_deleted(corporation: Corporation) -> None:
    recall = {"event_type": "user_recall_msg", "open_kfid": ACCOUNT, "external_userid": CUSTOMER, "recall_msgid": "m1"}
    corporation.api.say("m1")
    corporation.api.say("m2", origin=4, external_userid="", msgtype="event", event=recall)
    said, taken_back = corporation.read()
    assert (taken_back.kind, taken_back.provider_id) == (MessageKind.DELETED, "m1")
    assert taken_back.conversation == said.conversation


def test_an_empty_page_with_more_to_come_is_not_the_end(corporation: Corporation) -> None:
    corporation.api.empty_page_first = True
    corporation.api.say("m1")
    assert len(corporation.read()) == 1


def test_a_token_that_is_over_before_its_time_is_replaced(corporation: Corporation) -> None:
    corporation.read()
    corporation.api.token_is_over = True
    corporation.api.say("m1")
    assert len(corporation.read()) == 1
    assert corporation.api.tokens_given == 2


def test_a_busy_api_is_asked_again_later_from_the_same_cursor(corporation: Corporation) -> None:
    corporation.api.say("m1")
    corporation.api.busy = 1
    with pytest.raises(ApiBusy, match="45033"):
        corporation.read()
    assert len(corporation.read()) == 1


def test_a_wrong_secret_is_told_without_the_secret_and_without_the_platforms_hints() -> None:
    corporation = Corporation()
    job = corporation.desk.build("wecom-service", ["wrong"], [CALLBACK], corporation=CORPORATION, accounts=[ACCOUNT])
    with pytest.raises(ApiRefused) as caught:
        corporation.desk.run(job)
    assert str(caught.value) == "gettoken: 40001 invalid credential"


def test_an_api_that_is_not_there_is_told_without_its_address() -> None:
    desk = Desk(httpx.AsyncClient(transport=httpx.MockTransport(_unreachable)))
    job = desk.build("wecom-service", [SECRET], [CALLBACK], corporation=CORPORATION, accounts=[ACCOUNT])
    with pytest.raises(ApiBusy) as caught:
        desk.run(job)
    assert str(caught.value) == "/cgi-bin/gettoken: ConnectError"


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"no route to {request.url}")


@pytest.mark.parametrize(
    ("secrets", "tokens", "words"),
    [([], [CALLBACK], "secrets: one"), ([SECRET], [], "tokens: one"), ([SECRET], ["no-colon"], "has no colon")],
)
def test_secrets_that_are_missing_or_malformed_are_told(secrets: list[str], tokens: list[str], words: str) -> None:
    with pytest.raises(SecretsWrong, match=words):
        Desk().build("wecom-service", secrets, tokens, corporation=CORPORATION)


Wake = Callable[[str, str], Awaitable[None]]


def call(corporation: Corporation, request: SignedRequest, wake: Wake | None = None) -> httpx.Response:
    """Let WeCom call the address; what wakes the job reaches it as the hint of its next run."""

    async def hint(job: str, words: str) -> None:
        assert job == corporation.job.name
        corporation.desk.hints.append(words)

    async def send() -> httpx.Response:
        app = CallbackApp({"desk": corporation.job}.get, wake or hint, lambda: MOMENT)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ours") as client:
            return await deliver(client, "/callbacks/desk", request)

    return asyncio.run(send())


def callback(corporation: Corporation, way: Way = Way.GOOD, account: str = ACCOUNT) -> SignedRequest:
    return corporation.sender.event("kf_msg_or_event", way, Token="ENCApHxnGDNAVNY4AaSJKj4Tb5m", OpenKfId=account)


def test_a_callback_wakes_the_job_and_its_token_goes_with_the_question(corporation: Corporation) -> None:
    assert call(corporation, callback(corporation)).text == "success"
    corporation.api.say("m1")
    assert len(corporation.read()) == 1
    assert corporation.api.calls[0]["token"] == "ENCApHxnGDNAVNY4AaSJKj4Tb5m"
    corporation.read()
    assert "token" not in corporation.api.calls[-1]


def test_a_callback_token_that_is_refused_is_left_out(corporation: Corporation) -> None:
    corporation.api.refuses_callback_token = True
    corporation.api.say("m1")
    call(corporation, callback(corporation))
    assert len(corporation.read()) == 1


def test_an_account_that_nobody_listed_is_read_from_its_first_callback_on(corporation: Corporation) -> None:
    corporation.job = corporation.build(accounts=[])
    corporation.api.say("m1")
    assert corporation.read() == []
    call(corporation, callback(corporation))
    assert len(corporation.read()) == 1
    corporation.api.say("m2")
    assert len(corporation.read()) == 1  # by its cursor, without another callback


def test_the_question_whether_the_address_is_ours_is_answered_in_clear(corporation: Corporation) -> None:
    answer = call(corporation, corporation.sender.challenge(b"5927782489442352469"))
    assert (answer.status_code, answer.content) == (200, b"5927782489442352469")


@pytest.mark.parametrize(
    ("way", "status"),
    [(Way.FORGED, 401), (Way.ROTATED, 401), (Way.STALE, 401), (Way.MALFORMED, 400)],
)
def test_a_callback_that_is_wrong_wakes_nobody(corporation: Corporation, way: Way, status: int) -> None:
    assert call(corporation, callback(corporation, way)).status_code == status
    assert corporation.desk.hints == []


def test_a_callback_about_something_else_is_taken_and_wakes_nobody(corporation: Corporation) -> None:
    assert call(corporation, corporation.sender.event("enter_agent")).status_code == 200
    assert corporation.desk.hints == []


def test_a_callback_while_postgres_is_away_is_sent_again_by_wecom(corporation: Corporation) -> None:
    async def away(job: str, hint: str) -> None:
        raise StoreAway("Postgres is away")

    assert call(corporation, callback(corporation), away).status_code == 503


@pytest.mark.parametrize(
    ("path", "method", "body", "status"),
    [
        ("/callbacks/absent", "POST", b"", 404),
        ("/elsewhere", "POST", b"", 404),
        ("/callbacks/desk", "PUT", b"", 405),
        ("/callbacks/desk", "POST", b"x" * 70_000, 413),
        ("/callbacks/desk", "POST", b"", 401),
    ],
)
def test_any_other_request_is_answered_by_what_is_wrong_with_it(
    corporation: Corporation, path: str, method: str, body: bytes, status: int
) -> None:
    async def send() -> httpx.Response:
        app = CallbackApp({"desk": corporation.job}.get, _never, lambda: MOMENT)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ours") as client:
            return await client.request(method, path, content=body)

    assert asyncio.run(send()).status_code == status


async def _never(job: str, hint: str) -> None:
    raise AssertionError("nobody is woken")


def test_an_account_that_is_refused_keeps_no_other_waiting(corporation: Corporation) -> None:
    corporation.api.refused_account = "aa-deleted"
    corporation.api.say("m1")
    job = corporation.build(accounts=["aa-deleted", ACCOUNT])
    with pytest.raises(ApiRefused, match="sync_msg of aa-deleted: 95000"):
        corporation.desk.run(job)
    assert [message.provider_id for message in corporation.desk.messages] == ["m1"]


@pytest.mark.parametrize("address", ["http://127.0.0.1.evil.example", "http://qyapi.weixin.qq.com", "ftp://127.0.0.1"])
def test_secrets_go_over_no_open_line(corporation: Corporation, address: str) -> None:
    with pytest.raises(ValidationError, match="https"):
        corporation.build(api=address)
