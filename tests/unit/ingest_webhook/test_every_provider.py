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
from tests.support.partners.signed_request import SignedRequest, Way, deliver
from tests.unit.ingest_webhook import rows_of_chinese_platforms, rows_of_phone_and_forms
from tests.unit.ingest_webhook.all_providers import PROVIDERS_UNDER_TEST, ProviderUnderTest
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

every_provider = pytest.mark.parametrize("row", PROVIDERS_UNDER_TEST, ids=str)


def test_every_provider_has_a_row_in_one_of_the_tables() -> None:
    chinese = [row.source for row in rows_of_chinese_platforms.ROWS]  # each source has its provider's name
    elsewhere = [*chinese, *(row.provider for row in rows_of_phone_and_forms.ROWS)]
    assert sorted([*(row.provider for row in PROVIDERS_UNDER_TEST), *elsewhere]) == sorted(PROVIDERS)


@pytest.mark.parametrize(
    ("row", "way", "status", "outcome"),
    [
        pytest.param(row, *answer, id=f"{row}-{answer[0]}")
        for row in PROVIDERS_UNDER_TEST
        for answer in ANSWERS
        if row.signs_time or answer[0] is not Way.STALE
    ],
)
async def test_each_way_has_its_answer_its_metric_and_its_problem(
    row: ProviderUnderTest, way: Way, status: int, outcome: str, tmp_path: Path
) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=row.sources)) as client:
        answer = await deliver(client, f"/webhooks/{row}", row.requests()(way))
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
    elif not row.has_own_answer:
        assert answer.content == b""


@every_provider
async def test_a_repeat_is_published_again_under_the_same_identity(row: ProviderUnderTest, tmp_path: Path) -> None:
    edge = Edge()
    requests = row.requests()
    async with client_of(edge.app(tmp_path, sources=row.sources)) as client:
        for way in (Way.GOOD, Way.REPEATED, Way.GOOD):
            answer = await deliver(client, f"/webhooks/{row}", requests(way))
            assert answer.status_code == 200
    first, repeat, other = edge.messages
    assert first.identity == repeat.identity != other.identity
    assert first.conversation == repeat.conversation
    assert first.message_id != repeat.message_id


@every_provider
async def test_a_message_names_its_writer_its_conversation_and_its_time(row: ProviderUnderTest, tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=row.sources)) as client:
        await deliver(client, f"/webhooks/{row}", row.requests()(Way.GOOD))
    [message] = edge.messages
    assert message.text
    assert message.sender.value
    assert message.conversation.key
    if row.provider != "standard-webhooks":  # there the sender says a time only when it likes
        assert message.sent_at is not None
        assert abs(message.received_at - message.sent_at).total_seconds() < 60


async def answer_to(row: ProviderUnderTest, request: SignedRequest) -> None:
    """Deliver, and read what was published as a subscriber would."""
    edge = Edge()
    with tempfile.TemporaryDirectory() as folder:
        async with client_of(edge.app(Path(folder), sources=row.sources)) as client:
            assert_answered(await deliver(client, f"/webhooks/{row}", request))
    assert len(edge.messages) == len(edge.published)


ANY_BYTES = st.binary(max_size=500)
SIGNING = [row for row in PROVIDERS_UNDER_TEST if row.sign is not None]


@pytest.mark.parametrize("row", SIGNING, ids=str)
@given(body=ANY_BYTES)
async def test_signed_bytes_are_read_or_refused(row: ProviderUnderTest, body: bytes) -> None:
    assert row.sign is not None
    await answer_to(row, row.sign(body))


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


@pytest.mark.parametrize("row", [row for row in SIGNING if row.documents()], ids=str)
@given(data=st.data())
async def test_a_document_with_a_changed_field_is_read_or_its_field_is_named(
    row: ProviderUnderTest, data: st.DataObject
) -> None:
    assert row.sign is not None
    document = data.draw(st.sampled_from(row.documents()))
    for _ in range(data.draw(st.integers(1, 3))):
        document = changed(document, data)
        if not isinstance(document, dict) or not document:
            break
    await answer_to(row, row.sign(json.dumps(document).encode()))
