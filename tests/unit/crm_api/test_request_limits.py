"""One process takes on so much and no more, and says so."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from crm_api.metrics import Metrics
from crm_api.request_limits import Admission, AnswerLimit

PATH = "/v1/tickets"


def scope() -> Scope:
    return {"type": "http", "path": PATH, "method": "GET", "headers": []}


async def nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


class Answer:
    """What one request was answered."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])


class Slow:
    """An application that answers when told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.entered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered += 1
        scope["route"] = SimpleNamespace(path="/v1/tickets/{ticket_id}")
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


async def test_requests_above_the_limit_are_told_to_come_back(registry: CollectorRegistry) -> None:
    slow, answers = Slow(), [Answer() for _ in range(3)]
    app = Admission(slow, 2, Metrics(registry), time.monotonic)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(app(scope(), nothing, answer.send)) for answer in answers]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        assert registry.get_sample_value("firebreak_api_in_flight") == 2
        slow.go.set()
    assert [answer.status for answer in answers] == [200, 200, 503]
    assert slow.entered == 2
    assert (b"retry-after", b"1") in answers[2].messages[0]["headers"]
    assert registry.get_sample_value("firebreak_api_in_flight") == 0


async def test_a_refused_request_leaves_room_for_the_next(registry: CollectorRegistry) -> None:
    slow = Slow()
    slow.go.set()
    app = Admission(slow, 1, Metrics(registry), time.monotonic)
    for _ in range(3):
        answer = Answer()
        await app(scope(), nothing, answer.send)
        assert answer.status == 200


async def test_requests_are_counted_by_route_and_status(registry: CollectorRegistry) -> None:
    slow = Slow()
    slow.go.set()
    await Admission(slow, 1, Metrics(registry), time.monotonic)(scope(), nothing, Answer().send)
    labels = {"route": "/v1/tickets/{ticket_id}", "status": "200"}
    assert registry.get_sample_value("firebreak_api_requests_total", labels) == 1


async def test_a_cancelled_request_is_not_in_flight_any_more(registry: CollectorRegistry) -> None:
    slow = Slow()
    running = asyncio.create_task(
        Admission(slow, 1, Metrics(registry), time.monotonic)(scope(), nothing, Answer().send)
    )
    while not slow.entered:  # noqa: ASYNC110 - one turn of the loop
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert registry.get_sample_value("firebreak_api_in_flight") == 0


async def test_an_answer_that_takes_too_long_becomes_503() -> None:
    answer = Answer()
    await AnswerLimit(Slow(), 0.01)(scope(), nothing, answer.send)
    assert answer.status == 503
    assert b"/problems/database-away" in answer.messages[1]["body"]


async def test_a_timeout_of_the_application_itself_is_not_taken_for_ours() -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await AnswerLimit(fails, 60)(scope(), nothing, Answer().send)
