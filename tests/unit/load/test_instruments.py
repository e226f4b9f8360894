"""The parts of `make bench` that could be wrong without anybody noticing."""

import json
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes
from itertools import islice
from pathlib import Path
from uuid import UUID

import pytest

from ingest_webhook.provider import Messages, WebhookRequest
from ingest_webhook.providers.standard_webhooks import StandardWebhooks
from tests.load.alert_watch import AlertWatch
from tests.load.domain_rows import (
    measure_decide_evolve,
    measure_what_if,
    measure_what_if_staffing,
    measure_what_if_steps,
)
from tests.load.due_date_row import measure_due_dates
from tests.load.figures import Figures, Row
from tests.load.http_load import HttpSender, SignedRequests
from tests.load.lives import live, policies
from tests.load.mail_corpus import fresh_mails
from tests.load.own_time import own_time
from tests.load.steered_load import quantile
from tests.support.deployment_files import SHOP_SECRET
from ticket_contracts.vocabulary import Status

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 5), (0.99, 10), (1.0, 10)])
def test_a_quantile_is_one_of_the_values(share: float, expected: int) -> None:
    assert quantile(list(range(1, 11)), share) == expected


def test_an_answer_counts_once_however_it_is_cut_in_pieces() -> None:
    heard: list[tuple[int, bytes]] = []
    sender = HttpSender(lambda _, status, body: heard.append((status, body)))
    for byte in b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone":
        sender.data_received(bytes([byte]))
    sender.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    assert heard == [(404, b"none"), (200, b"")]


def test_each_request_of_the_load_is_one_that_our_door_accepts() -> None:
    requests = SignedRequests("localhost", 80, "/webhooks/shop", SHOP_SECRET, NOW.timestamp)
    provider = StandardWebhooks.build({}, [SHOP_SECRET])
    conversations = set()
    for _ in range(3):
        _, raw = requests.next_request()
        head, _, body = raw.partition(b"\r\n\r\n")
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        assert int(headers[b"content-length"]) == len(body)
        request = WebhookRequest(headers, b"", body, NOW)
        provider.verify(request)
        reading = provider.read(request)
        assert isinstance(reading, Messages)
        conversations.add(reading.messages[0].conversation)
    assert len(conversations) == 3


def test_each_pass_over_the_mails_is_another_set_of_the_same_threads(tmp_path: Path) -> None:
    question = b"From: a@example.com\nSubject: oven\nMessage-ID: <1@example.com>\n\nIt is cold.\n"
    answer = b"From: b@example.com\nSubject: Re: oven\nIn-Reply-To: <1@example.com>\n\nPlug it in.\n"
    (tmp_path / "1.eml").write_bytes(question)
    (tmp_path / "2.eml").write_bytes(answer)
    (tmp_path / "notes.txt").write_bytes(b"no mail at all\n")
    mails = [message_from_bytes(raw) for raw in islice(fresh_mails(tmp_path), 4)]
    assert len({mail["Message-ID"] for mail in mails}) == 4
    assert [mail["In-Reply-To"] for mail in mails] == [None, mails[0]["Message-ID"], None, mails[2]["Message-ID"]]


def test_time_counts_for_the_innermost_function() -> None:
    folded = "main (app/__main__.py:3);run (a/lib/work.py:10) 7\nmain (app/__main__.py:3) 2\n"
    assert own_time(folded) == Counter({"run (lib/work.py)": 7, "main (app/__main__.py)": 2})


def test_due_dates_are_measured_without_any_server() -> None:
    figures = Figures()
    measure_due_dates(figures, tickets=1_000)
    (row,) = figures.rows
    assert row.name == "due_dates"
    assert row.ratio is not None
    assert 0 < row.ratio < 1  # no calendar is as quick as an addition


def test_decisions_and_what_if_are_measured_without_any_server() -> None:
    figures = Figures()
    measure_decide_evolve(figures, lives=5)
    measure_what_if(figures, lives=5)
    measure_what_if_steps(figures, lives=5)
    measure_what_if_staffing(figures, lives=5)
    assert [row.name for row in figures.rows] == ["decide_evolve", "what_if", "what_if_steps", "what_if_staffing"]
    for row in figures.rows:
        assert row.ratio is not None
        assert 0 < row.ratio < 1  # neither is as quick as its data alone


def test_the_same_lives_are_lived_in_every_run() -> None:
    one, again = live(5, policies()), live(5, policies())
    assert [case.ticket for case in one] == [case.ticket for case in again]
    assert all(case.status is Status.SOLVED for case in one)


@pytest.mark.parametrize(
    ("arrived", "complaint"), [({1: [0.0], 2: [0.0]}, "nobody is due"), ({1: [0.0, 0.1]}, "more than once")]
)
def test_alerts_that_are_not_the_demanded_ones_make_no_figure(arrived: dict[int, list[float]], complaint: str) -> None:
    watch = AlertWatch(consumer=None, arrived={UUID(int=number): times for number, times in arrived.items()})
    with pytest.raises(AssertionError, match=complaint):
        watch.exactly([UUID(int=1)])


def test_the_json_has_a_ratio_only_where_there_is_a_limit() -> None:
    figures = Figures([Row("fast", 50.0, 200.0, "messages/s"), Row("slow", 3.0, None, "ms")])
    assert json.loads(json.dumps(figures.as_json())) == {
        "rows": [
            {"name": "fast", "ours": 50.0, "limit": 200.0, "ratio": 0.25, "unit": "messages/s"},
            {"name": "slow", "ours": 3.0, "limit": None, "ratio": None, "unit": "ms"},
        ]
    }
