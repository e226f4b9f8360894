"""The app as uvicorn calls it; what holds for every provider alike stands in test_every_provider."""

import asyncio
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from ingest_webhook import publish_messages
from ingest_webhook.asgi_app import Limits
from ingest_webhook.source_table import SourceTable
from tests.support.partners.signed_request import Way, deliver
from tests.unit.ingest_webhook.edge import (
    SLACK_SECRET,
    Edge,
    client_of,
    shop_sender,
    slack_sender,
    switch_sender,
)
from ticket_intake.compose_event import compose_message
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import MessageData
from ticket_store.object_storage import StorageUnavailable
from ticket_stream.edge_publisher import EventTooLarge, KafkaAway


async def test_the_event_is_keyed_by_conversation_and_starts_a_trace(tmp_path: Path) -> None:
    edge = Edge()
    request = shop_sender().message("hello", conversation_id="order-17")
    async with client_of(edge.app(tmp_path)) as client:
        await deliver(client, "/webhooks/shop", request)
    [(key, event)] = edge.published
    assert key == event.partitionkey == "acme|web-shop|order-17"
    assert event.source == "/firebreak/ingest-webhook/shop"
    assert event.type == "firebreak.message.received.v1"
    assert event.traceparent is not None
    assert event.id == str(edge.messages[0].message_id)


@pytest.mark.parametrize(
    "path", ["/webhooks/nobody", "/webhooks/", "/webhooks", "/", "/webhooks/shop/", "/webhooks/SHOP"]
)
async def test_an_address_without_a_source_is_not_found_and_makes_no_label(path: str, tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path)) as client:
        answer = await deliver(client, path, shop_sender().message("hello"))
    assert answer.status_code == 404
    assert edge.counted("unknown", "unknown-source") == 1


async def test_a_fault_of_ours_before_a_source_is_known_is_a_problem_document_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: SourceTable, name: str) -> None:
        raise LookupError(f"secret detail of {name}")

    monkeypatch.setattr(SourceTable, "get", broken)
    async with client_of(Edge().app(tmp_path)) as client:
        answer = await deliver(client, "/webhooks/shop", shop_sender().message("hello"))
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/unexpected")
    assert "secret detail" not in answer.text


async def test_a_wrong_method_is_told_the_right_one(tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path)) as client:
        answer = await client.get("/webhooks/shop")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert edge.counted("shop", "wrong-method") == 1


async def test_a_refused_call_record_names_the_authentication_it_takes(tmp_path: Path) -> None:
    async with client_of(Edge().app(tmp_path)) as client:
        answer = await deliver(client, "/webhooks/switch", switch_sender().call(Way.FORGED))
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_without_kafka_the_sender_is_asked_to_come_again(tmp_path: Path) -> None:
    edge = Edge(publish_failure=KafkaAway("no broker"))
    async with client_of(edge.app(tmp_path)) as client:
        answer = await deliver(client, "/webhooks/shop", shop_sender().message("hello"))
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert edge.counted("shop", "kafka-away") == 1


async def test_an_event_that_kafka_would_refuse_is_too_large(tmp_path: Path) -> None:
    edge = Edge(publish_failure=EventTooLarge("too large"))
    async with client_of(edge.app(tmp_path)) as client:
        answer = await deliver(client, "/webhooks/shop", shop_sender().message("hello"))
    assert answer.status_code == 413


async def test_ordinary_messages_need_no_storage_but_long_ones_do(tmp_path: Path) -> None:
    edge = Edge(store_failure=StorageUnavailable("away"))
    sender = shop_sender()
    async with client_of(edge.app(tmp_path)) as client:
        ordinary = await deliver(client, "/webhooks/shop", sender.message("hello"))
        long = await deliver(client, "/webhooks/shop", sender.message("long " * 10_000))
    assert (ordinary.status_code, long.status_code) == (200, 503)
    assert edge.counted("shop", "storage-away") == 1


async def test_a_long_text_is_stored_whole_and_begins_in_the_event(tmp_path: Path) -> None:
    edge = Edge()
    text = "火" * 100_000
    async with client_of(edge.app(tmp_path)) as client:
        await deliver(client, "/webhooks/shop", shop_sender().message(text))
    [message] = edge.messages
    assert message.text_object is not None
    assert edge.stored[message.text_object.key].decode() == text
    assert text.startswith(message.text)
    assert len(message.text) > 1000


async def test_a_fault_of_ours_is_a_problem_without_a_stack_trace(tmp_path: Path) -> None:
    edge = Edge(publish_failure=ZeroDivisionError("a secret detail"))
    async with client_of(edge.app(tmp_path)) as client:
        answer = await deliver(client, "/webhooks/shop", shop_sender().message("hello"))
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert edge.counted("shop", "failed") == 1


async def test_a_message_that_cannot_be_composed_is_a_fault_of_its_own_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compose(message: IncomingMessage, *rest: Any) -> MessageData:
        if message.text == "broken":
            raise LookupError("a secret detail")
        return compose_message(message, *rest)

    monkeypatch.setattr(publish_messages, "compose_message", compose)
    edge, sender = Edge(), shop_sender()
    async with client_of(edge.app(tmp_path)) as client:
        answers = [await deliver(client, "/webhooks/shop", sender.message(text)) for text in ("broken", "hello")]
    assert [answer.status_code for answer in answers] == [500, 200]
    assert "secret detail" not in answers[0].text
    assert [message.text for message in edge.messages] == ["hello"]


async def test_slack_gets_its_challenge_back_once_it_has_signed(tmp_path: Path) -> None:
    edge = Edge()
    sender = slack_sender()
    challenge = {"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    async with client_of(edge.app(tmp_path)) as client:
        right = await deliver(client, "/webhooks/slack", sender.notification(challenge))
        forged = await deliver(client, "/webhooks/slack", sender.notification(challenge, Way.FORGED))
    assert (right.status_code, right.text) == (200, challenge["challenge"])
    assert forged.status_code == 401
    assert SLACK_SECRET not in forged.text


async def test_above_the_limit_of_requests_at_once_the_sender_is_asked_to_come_again(tmp_path: Path) -> None:
    edge = Edge()
    limits = Limits(body_bytes=1000, body_seconds=5, in_flight=0)
    async with client_of(edge.app(tmp_path, limits)) as client:
        answer = await deliver(client, "/webhooks/shop", shop_sender().message("hello"))
    assert answer.status_code == 503
    assert edge.counted("shop", "overloaded") == 1


async def call_app(
    edge: Edge, folder: Path, limits: Limits, receive: Callable[[], Any]
) -> list[MutableMapping[str, Any]]:
    """Call the app as a server does, with a body that arrives as `receive` says."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/webhooks/shop", "query_string": b"", "headers": []}
    await edge.app(folder, limits)(scope, receive, send)
    return sent


async def test_a_body_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    edge = Edge()
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await never.wait()
        return {}

    sent = await call_app(edge, tmp_path, Limits(body_bytes=1000, body_seconds=0.01, in_flight=10), receive)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_a_body_without_an_end_is_not_kept(tmp_path: Path) -> None:
    edge = Edge()
    received = 0

    async def receive() -> dict[str, Any]:
        nonlocal received
        received += 100
        return {"type": "http.request", "body": b"x" * 100, "more_body": True}

    sent = await call_app(edge, tmp_path, Limits(body_bytes=1000, body_seconds=5, in_flight=10), receive)
    assert sent[0]["status"] == 413
    assert received < 10_000


async def test_a_sender_that_leaves_gets_no_answer(tmp_path: Path) -> None:
    edge = Edge()

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert await call_app(edge, tmp_path, Limits(body_bytes=1000, body_seconds=5, in_flight=10), receive) == []
    assert edge.counted("shop", "abandoned") == 1
