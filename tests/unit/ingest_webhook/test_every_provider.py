"""Every provider in every way of being wrong, through the app as uvicorn calls it."""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_webhook.providers.registry import PROVIDERS
from tests.support.every_source import EVERY_SOURCE, SpokenSource
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.unit.ingest_webhook.all_providers import BY_PROVIDER, SIGN, documents, requests, sources_of
from tests.unit.ingest_webhook.edge import Edge, client_of
from tests.unit.ingest_webhook.test_arbitrary_requests import VALUES, assert_answered

ANSWERS = [
    (Way.GOOD, 200, "accepted"),
    (Way.ROTATED, 200, "accepted"),
    (Way.FORGED, 401, "bad-signature"),
    (Way.STALE, 401, "stale"),
    (Way.OVERSIZED, 413, "too-large"),
    (Way.MALFORMED, 400, "undecodable"),
    (Way.UNKNOWN_TYPE, 200, "ignored"),
]

every_provider = pytest.mark.parametrize("row", EVERY_SOURCE, ids=str)


def test_every_provider_has_a_row() -> None:
    assert sorted(BY_PROVIDER) == sorted(PROVIDERS)


@pytest.mark.parametrize(
    ("row", "way", "status", "outcome"),
    [
        pytest.param(row, *answer, id=f"{row}-{answer[0]}")
        for row in EVERY_SOURCE
        for answer in ANSWERS
        if row.sends(answer[0])
    ],
)
async def test_each_way_has_its_answer_its_metric_and_its_problem(
    row: SpokenSource, way: Way, status: int, outcome: str, tmp_path: Path
) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=sources_of(row.provider))) as client:
        answer = await deliver(client, f"/webhooks/{row}", requests(row)(way))
    assert answer.status_code == status
    assert edge.counted(row.provider, outcome) == 1
    assert len(edge.published) == (1 if outcome == "accepted" else 0)
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"] == f"/problems/{outcome}"
        assert problem["status"] == status
        assert problem["trace_id"]
        assert not [secret for secret in (*row.secrets, *row.tokens) if secret in answer.text]
    elif row.answer is not None:
        assert answer.content == row.answer


@every_provider
async def test_a_repeat_is_published_again_under_the_same_identity(row: SpokenSource, tmp_path: Path) -> None:
    edge = Edge()
    speak = requests(row)
    async with client_of(edge.app(tmp_path, sources=sources_of(row.provider))) as client:
        for way in (Way.GOOD, Way.REPEATED, Way.GOOD):
            answer = await deliver(client, f"/webhooks/{row}", speak(way))
            assert answer.status_code == 200
    first, repeat, other = edge.messages
    assert first.identity == repeat.identity != other.identity
    assert first.conversation == repeat.conversation
    assert first.message_id != repeat.message_id


WITHOUT_TIME = {"standard-webhooks", "twilio-sms", "web-form", "hmac", "github"}
"""The first says a time only when it likes, two say none, and the partners of the last two have a day of their own."""


@every_provider
async def test_a_message_names_its_writer_its_conversation_and_its_time(row: SpokenSource, tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=sources_of(row.provider))) as client:
        await deliver(client, f"/webhooks/{row}", requests(row)(Way.GOOD))
    [message] = edge.messages
    assert message.text
    assert message.sender.value
    assert message.conversation.key
    if row.provider not in WITHOUT_TIME:
        assert message.sent_at is not None
        assert abs(message.received_at - message.sent_at).total_seconds() < 60


async def answer_to(provider: str, request: SignedRequest) -> None:
    """Deliver, and read what was published as a subscriber would."""
    edge = Edge()
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(edge.app(Path(folder), sources=sources_of(provider))) as client:
            assert_answered(await deliver(client, f"/webhooks/{provider}", request))
    assert len(edge.messages) == len(edge.published)


ANY_BYTES = st.binary(max_size=500)


@pytest.mark.parametrize("provider", SIGN)
@given(body=ANY_BYTES)
async def test_signed_bytes_are_read_or_refused(provider: str, body: bytes) -> None:
    await answer_to(provider, SIGN[provider](body))


def changed(document: Any, data: st.DataObject) -> Any:
    """Walk down to some place in a good document and put something else there."""
    document = copy.deepcopy(document)
    place = document
    while True:
        names = list(place) if isinstance(place, dict) else range(len(place))
        name = data.draw(st.sampled_from(names))
        inner = place[name]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            place[name] = data.draw(VALUES)
            return document
        place = inner


@pytest.mark.parametrize("provider", [provider for provider in SIGN if documents(provider)])
@given(data=st.data())
async def test_a_document_with_a_changed_field_is_read_or_its_field_is_named(
    provider: str, data: st.DataObject
) -> None:
    document = data.draw(st.sampled_from(documents(provider)))
    for _ in range(data.draw(st.integers(1, 3))):
        document = changed(document, data)
        if not isinstance(document, dict) or not document:
            break
    await answer_to(provider, SIGN[provider](json.dumps(document).encode()))
