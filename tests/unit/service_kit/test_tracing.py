import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from service_kit.tracing import (
    TraceContext,
    bound_trace,
    continue_trace,
    current_trace,
    new_trace,
    parse_traceparent,
    traced,
)

# The example of the standard, §3.2.2.5.
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EXAMPLE = f"00-{TRACE_ID}-{SPAN_ID}-01"


def test_the_example_of_the_standard_is_read_and_written_unchanged() -> None:
    trace = parse_traceparent(EXAMPLE)
    assert trace == TraceContext(TRACE_ID, SPAN_ID, 1)
    assert trace.traceparent == EXAMPLE


@pytest.mark.parametrize(
    "header",
    [
        "",
        EXAMPLE.upper(),
        f" {EXAMPLE}",
        f"{EXAMPLE}\n",
        f"{EXAMPLE}-more",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID[1:]}-{SPAN_ID}-01",
        f"01-{TRACE_ID}-{SPAN_ID}-01more",
    ],
)
def test_what_breaks_the_standard_is_no_trace(header: str) -> None:
    assert parse_traceparent(header) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert parse_traceparent(f"42-{TRACE_ID}-{SPAN_ID}-01-news") == TraceContext(TRACE_ID, SPAN_ID, 1)


def test_flags_that_are_not_known_are_not_passed_on() -> None:
    trace = parse_traceparent(f"00-{TRACE_ID}-{SPAN_ID}-fe")
    assert trace is not None
    assert trace.traceparent.endswith("-00")


def test_a_step_of_this_process_keeps_the_trace_and_has_its_own_span() -> None:
    trace = continue_trace(EXAMPLE, random.Random(1).randbytes)
    assert trace.trace_id == TRACE_ID
    assert trace.span_id == random.Random(1).randbytes(8).hex()


@pytest.mark.parametrize("header", [None, "", "rubbish"])
def test_without_a_valid_header_a_new_trace_starts(header: str | None) -> None:
    assert continue_trace(header, random.Random(1).randbytes) == new_trace(random.Random(1).randbytes)


@given(st.integers())
def test_whatever_is_written_can_be_read(seed: int) -> None:
    trace = new_trace(random.Random(seed).randbytes)
    assert parse_traceparent(trace.traceparent) == trace


def test_a_broken_random_source_is_noticed() -> None:
    with pytest.raises(ValueError, match="zeros"):
        new_trace(bytes)


async def test_the_current_trace_reaches_tasks_started_inside_and_ends_with_the_block() -> None:
    async def seen() -> TraceContext | None:
        return current_trace()

    with bound_trace(new_trace()) as trace:
        assert await asyncio.create_task(seen()) == trace
    assert current_trace() is None


async def trace_id_seen_by_app(headers: list[tuple[bytes, bytes]]) -> str:
    seen = []

    async def app(_: Scope, __: Receive, ___: Send) -> None:
        trace = current_trace()
        assert trace is not None
        seen.append(trace.trace_id)

    async def receive() -> Message:
        raise AssertionError("nobody reads the body here")

    async def send(_: Message) -> None:
        raise AssertionError("nobody answers here")

    await traced(app)({"type": "http", "headers": headers}, receive, send)
    return seen[0]


async def test_a_request_runs_inside_the_trace_of_its_caller() -> None:
    assert await trace_id_seen_by_app([(b"traceparent", EXAMPLE.encode())]) == TRACE_ID
    assert current_trace() is None


async def test_a_header_sent_twice_starts_a_new_trace() -> None:
    assert await trace_id_seen_by_app([(b"traceparent", EXAMPLE.encode())] * 2) != TRACE_ID
