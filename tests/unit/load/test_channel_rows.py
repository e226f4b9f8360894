"""The rows of `make bench` for each kind of channel, as far as they could be wrong without anybody noticing."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice

import pytest

from ingest_pull.domain.asterisk_cdr import RowFormat, read_row
from ingest_pull.kinds.file_options import UTC_ZONE
from ingest_webhook.provider import Messages, WebhookRequest
from ingest_webhook.providers.registry import PROVIDERS
from tests.load.call_lines import cdr_row, numbered_calls
from tests.load.request_load import on_the_wire
from tests.load.resident_memory import slope_per_hour, trend
from tests.load.strangers import requests_of_all
from tests.support.every_source import EVERY_SOURCE, SpokenSource
from tests.support.partners.signed_request import SignedRequest

ONE_PERSON = {"hmac", "github", "web-form", "standard-webhooks"}  # it stands in the partner's request


@pytest.mark.parametrize("found", EVERY_SOURCE, ids=str)
def test_each_request_of_a_provider_is_a_message_of_its_own_and_persons_change(found: SpokenSource) -> None:
    tokens = {"tokens": list(found.tokens)} if found.tokens else {}
    provider = PROVIDERS[found.provider]({**found.options, **tokens}, found.secrets)
    ids, senders = set(), set()
    for said in islice(requests_of_all(2)[found.provider], 4):
        headers = {name.encode(): value.encode("latin-1") for name, value in said.headers.items()}
        request = WebhookRequest(headers, said.query.encode(), said.body, datetime.now(UTC), said.method)
        provider.verify(request)
        reading = provider.read(request)
        assert isinstance(reading, Messages)
        [message] = reading.messages
        ids.add(message.provider_id)
        senders.add(message.conversation if message.call else message.sender.value)
    assert len(ids) == 4
    assert len(senders) == (1 if found.provider in ONE_PERSON else 4 if message.call else 2)


def test_a_request_goes_over_the_wire_with_its_query_and_its_length() -> None:
    request = SignedRequest({"x-signed": "yes"}, b"body", "a=1")
    assert list(on_the_wire("h:1", "/webhooks/x", iter([request]))) == [
        b"POST /webhooks/x?a=1 HTTP/1.1\r\nhost: h:1\r\ncontent-length: 4\r\nx-signed: yes\r\n\r\nbody"
    ]


def test_a_row_of_the_call_log_is_one_that_we_read_and_no_call_comes_twice() -> None:
    calls = list(islice(numbered_calls(), 3))
    legs = [read_row(cdr_row(*call).strip(), RowFormat((), UTC_ZONE), datetime.now(UTC)) for call in calls]
    assert [(leg.call_id, leg.caller) for leg in legs] == calls
    assert len({leg.call_id for leg in legs}) == 3
    assert abs(legs[0].started_at.timestamp() - time.time()) < 5


def test_a_slope_is_that_of_the_line_through_the_samples() -> None:
    assert slope_per_hour([(0, 100.0), (1800, 101.0), (3600, 102.0)]) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("late", "is_flat"),
    [
        (lambda minute: 100.0, True),
        (lambda minute: 100.0 + minute * 0.05, True),  # 3 MiB/h
        (lambda minute: 100.0 + minute * 0.1, False),  # 6 MiB/h
        (lambda minute: 100.0 + (minute > 45), True),  # one arena of the allocator
    ],
)
def test_only_the_second_half_tells_whether_a_process_grows(late: Callable[[int], float], is_flat: bool) -> None:
    samples = [(60.0 * minute, 50.0 + minute if minute < 30 else late(minute)) for minute in range(61)]
    assert trend(samples).is_flat is is_flat
