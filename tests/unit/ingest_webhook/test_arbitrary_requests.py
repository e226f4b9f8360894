"""Whatever bytes arrive, signed or not: an answer, never a fault of ours nor its stack trace."""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import given
from hypothesis import strategies as st

from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.unit.ingest_webhook.edge import Edge, client_of, shop_sender, slack_sender, switch_sender

HEADERS = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-slack-signature",
    "x-slack-request-timestamp",
    "authorization",
]
# What a header can hold on the wire.
LATIN_1 = st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f")

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)


def objects(names: list[str], values: st.SearchStrategy[Any] = VALUES) -> st.SearchStrategy[dict[str, Any]]:
    """Objects whose names a provider reads, so that the draw gets past the first check."""
    return st.dictionaries(st.sampled_from(names), values)


PEOPLE = objects(["kind", "id", "name"])
DATA = objects(["id", "sender", "text", "sent_at", "channel", "attachments", "revision"], VALUES | PEOPLE)
SHOP = st.builds(
    lambda kind, data: {"type": kind, "data": data}, st.sampled_from(["message.created", "message.edited"]), DATA
)

SAID = ["ts", "user", "text", "thread_ts", "bot_id", "subtype", "edited", "files", "channel", "type", "deleted_ts"]
STAMPS = st.sampled_from(["1763899200.000100", "0", "9999999999.999999"])
SLACK_EVENT = objects([*SAID, "message", "previous_message"], VALUES | STAMPS | objects(SAID, VALUES | STAMPS))
SLACK = st.builds(
    lambda event, kind, subtype: {"type": kind, "team_id": "T1", "event": {**event, "type": "message"} | subtype},
    SLACK_EVENT,
    st.sampled_from(["event_callback", "url_verification", "app_rate_limited", "other"]),
    st.sampled_from([{}, {"subtype": "message_changed"}, {"subtype": "message_deleted"}, {"subtype": "file_share"}]),
)

VARIABLES = objects(["uuid", "start_epoch", "end_epoch", "billsec", "hangup_cause", "direction", "sip_from_user"])
PROFILES = st.builds(
    lambda p: {"caller_profile": p}, objects(["caller_id_number", "caller_id_name", "destination_number"])
)
SWITCH = st.builds(
    lambda variables, callflow: {"variables": variables, "callflow": callflow},
    VALUES | VARIABLES,
    VALUES | PROFILES | st.lists(PROFILES),
)


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def signed_for_shop(body: bytes) -> SignedRequest:
    return shop_sender().sign("msg_1", body, Way.GOOD)


def signed_for_slack(body: bytes) -> SignedRequest:
    return slack_sender().sign(body, Way.GOOD)


def signed_for_switch(body: bytes) -> SignedRequest:
    return SignedRequest(switch_sender().call().headers, body, query="uuid=01df56f4")


async def answer_to(source: str, request: SignedRequest) -> httpx.Response:
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(Edge().app(Path(folder))) as client:
            return await deliver(client, f"/webhooks/{source}", request)


def assert_answered(answer: httpx.Response, allowed: tuple[int, ...] = (200, 400)) -> None:
    assert answer.status_code in allowed, answer.text
    assert "Traceback" not in answer.text


@given(body=st.binary(max_size=2000), headers=st.dictionaries(st.sampled_from(HEADERS), st.text(LATIN_1)))
async def test_unsigned_bytes_are_refused(body: bytes, headers: dict[str, str]) -> None:
    request = SignedRequest(headers, body)
    for source in ("shop", "slack", "switch"):
        assert_answered(await answer_to(source, request), (401,))


@given(body=st.binary(max_size=2000))
async def test_signed_bytes_are_read_or_refused(body: bytes) -> None:
    assert_answered(await answer_to("shop", signed_for_shop(body)))
    assert_answered(await answer_to("slack", signed_for_slack(body)))
    for prefix in (b"", b"cdr=", b"cdr=%7B", b"cdr=" + base64.b64encode(b"{")):
        assert_answered(await answer_to("switch", signed_for_switch(prefix + body)))


@given(document=SHOP)
async def test_a_signed_document_is_read_or_its_field_is_named(document: object) -> None:
    assert_answered(await answer_to("shop", signed_for_shop(as_json(document))))


@given(document=SLACK)
async def test_a_slack_document_is_read_or_its_field_is_named(document: object) -> None:
    assert_answered(await answer_to("slack", signed_for_slack(as_json(document))))


@given(document=SWITCH, form=st.booleans())
async def test_a_call_document_is_read_or_its_field_is_named(document: object, form: bool) -> None:
    body = b"cdr=" + quote(as_json(document)).encode() if form else as_json(document)
    assert_answered(await answer_to("switch", signed_for_switch(body)))
