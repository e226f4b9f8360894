"""A source is held to its own rate and size; what is genuine counts, what is forged does not."""

from pathlib import Path

import httpx
import pytest
import yaml

from tests.support.every_source import DIALPAD_SECRET
from tests.support.partners.dialpad import DialpadSender
from tests.support.partners.signed_request import Way, deliver
from tests.unit.ingest_webhook.edge import NOW, SOURCES, Edge, client_of, shop_sender
from ticket_intake.source_file import SourcesInvalid


def limited(**limits: float) -> str:
    document = yaml.safe_load(SOURCES)
    document["sources"][0]["limits"] = limits
    return yaml.safe_dump(document)


async def send(client: httpx.AsyncClient, way: Way = Way.GOOD) -> httpx.Response:
    return await deliver(client, "/webhooks/shop", shop_sender().message("hello", way))


async def test_a_source_over_its_rate_is_told_when_to_come_again(tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=limited(per_second=0.5, burst=2))) as client:
        answers = [await send(client) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "2"
        assert answers[2].json()["type"] == "/problems/too-many-requests"
        edge.seconds = 2
        assert (await send(client)).status_code == 200
    assert edge.counted("shop", "too-many-requests") == 1


async def test_forged_requests_do_not_use_up_the_rate(tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=limited(per_second=1, burst=1))) as client:
        assert [(await send(client, way)).status_code for way in (Way.FORGED, Way.FORGED, Way.GOOD)] == [401, 401, 200]


async def test_a_sender_that_gives_up_on_4xx_gets_503(tmp_path: Path) -> None:
    sources = {
        "name": "shop",
        "provider": "dialpad",
        "brand": "acme",
        "account": "calls",
        "secrets": [{"value": DIALPAD_SECRET}],
        "limits": {"per_second": 1},
    }
    sender = DialpadSender(DIALPAD_SECRET, NOW.timestamp)
    async with client_of(Edge().app(tmp_path, sources=yaml.safe_dump({"sources": [sources]}))) as client:
        answers = [await deliver(client, "/webhooks/shop", sender.call()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 503]


async def test_a_source_may_have_a_smaller_size_than_the_others(tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=limited(body_bytes=10))) as client:
        assert (await send(client)).status_code == 413


def test_a_burst_without_a_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourcesInvalid, match="goes with `per_second`"):
        Edge().app(tmp_path, sources=limited(burst=3))
