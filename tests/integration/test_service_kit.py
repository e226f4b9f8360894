"""service-kit on real sockets and real processes."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from service_kit.asgi import raw_response
from service_kit.http_server import HttpLimits, serve
from service_kit.metrics import new_registry
from service_kit.probes import Probes, Readiness, with_probes
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor

# Generous, because other work shares the machine; a service needs about one second to start.
PATIENCE_SECONDS = 30


async def hello(_: Scope, __: Receive, send: Send) -> None:
    await raw_response(200, "text/plain", b"hello").send(send)


class TinyService:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output: list[str] = []

    async def url(self) -> str:
        return str((await self.logged("listening"))["url"])

    async def logged(self, event: str) -> dict[str, Any]:
        while not (entry := json.loads(await self.line_with(f'"event": "{event}"'))):
            pass
        return dict(entry)

    async def line_with(self, text: str) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := (await self.process.stdout.readline()).decode():
                self.output.append(line)
                if text in line:
                    return line
        raise AssertionError(f"{text!r} was never written, but: {self.output}")

    async def ended(self) -> int:
        return await asyncio.wait_for(self.process.wait(), PATIENCE_SECONDS)


@asynccontextmanager
async def tiny_service(mode: str, **environment: str) -> AsyncIterator[TinyService]:
    settings = {"FIREBREAK_PORT": "0", "FIREBREAK_STOP_SECONDS": "5", **environment}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.tiny_service", mode,
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield TinyService(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()  # closes the pipes


@asynccontextmanager
async def listening(
    app: ASGIApp, limits: HttpLimits
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A raw connection to `app`, for what a well-behaved client would not send."""
    async with serve(app, "127.0.0.1", 0, supervisor=Supervisor(), limits=limits) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def test_a_service_answers_its_probes_and_leaves_with_0_on_sigterm() -> None:
    async with tiny_service("sound") as service:
        url = await service.url()
        async with httpx.AsyncClient(base_url=url) as client:
            answers = {path: await client.get(path) for path in ("/", "/live", "/ready", "/metrics")}
        service.process.send_signal(signal.SIGTERM)
        stopping = await service.logged("stopping")
        assert await service.ended() == 0
    assert [answer.status_code for answer in answers.values()] == [200] * 4
    assert "server" not in answers["/"].headers
    assert "firebreak_build_info{" in answers["/metrics"].text
    assert stopping["reason"] == "SIGTERM"


async def test_the_port_stays_free_after_the_stop_and_can_be_taken_again_at_once() -> None:
    supervisor = Supervisor()
    async with serve(hello, "127.0.0.1", 0, supervisor=supervisor) as address, httpx.AsyncClient() as client:
        await client.get(address.url)
    async with serve(hello, "127.0.0.1", address.port, supervisor=supervisor) as again, httpx.AsyncClient() as client:
        assert (await client.get(again.url)).text == "hello"
    assert supervisor.failure is None


async def test_a_task_that_dies_ends_the_process_with_1_and_says_which() -> None:
    async with tiny_service("failing-task") as service:
        failed = await service.logged("part failed")
        assert await service.ended() == 1
    assert (failed["part"], failed["reason"]) == ("consumer", "failed")
    assert failed["exception"][0]["exc_value"] == "the consumer lost its mind"


async def test_a_stop_that_hangs_ends_with_70_in_time_and_names_the_await_it_hangs_in() -> None:
    async with tiny_service("hung-stop", FIREBREAK_STOP_SECONDS="1") as service:
        await service.logged("started")
        asked = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        hung = await service.logged("stop hung")
        assert await service.ended() == os.EX_SOFTWARE
    assert time.monotonic() - asked < 4
    assert any("client_that_never_closes" in place for place in hung["tasks"]["tiny-service wiring"])


async def test_a_stop_that_blocks_the_event_loop_ends_with_70_and_names_the_line() -> None:
    async with tiny_service("blocked-stop", FIREBREAK_STOP_SECONDS="1") as service:
        await service.logged("started")
        service.process.send_signal(signal.SIGTERM)
        hung = await service.logged("stop hung")
        assert await service.ended() == os.EX_SOFTWARE
    assert "wait" in hung["threads"]["MainThread"]


async def test_a_service_that_is_still_starting_lives_is_not_ready_and_ends_by_sigterm() -> None:
    async with tiny_service("endless-start") as service, httpx.AsyncClient(trust_env=False) as client:
        url = await service.url()
        await service.line_with("connecting")
        assert (await client.get(f"{url}/live")).status_code == 200
        ready = await client.get(f"{url}/ready")
        assert (ready.status_code, ready.json()["checks"]["start"]["ready"]) == (503, False)
        service.process.send_signal(signal.SIGTERM)
        await service.logged("stopped")
        assert await service.ended() == 0


async def test_a_start_that_fails_ends_with_1_and_the_stack_trace_in_one_log_line() -> None:
    async with tiny_service("failing-start") as service:
        failed = await service.logged("start or stop failed")
        assert await service.ended() == 1
    assert failed["exception"][0]["exc_value"] == "no such table"


async def test_a_stray_cancellation_while_stopping_does_not_turn_a_stop_into_a_failure() -> None:
    async with tiny_service("stray-cancellation") as service:
        await service.logged("started")
        service.process.send_signal(signal.SIGTERM)
        await service.logged("start or stop was cut short")
        assert await service.ended() == 0


async def test_a_wrong_setting_ends_with_78_and_names_the_variable() -> None:
    async with tiny_service("sound", FIREBREAK_PORT="many") as service:
        _, errors = await service.process.communicate()
        assert await service.ended() == os.EX_CONFIG
    assert b"FIREBREAK_PORT is wrong" in errors
    assert b"Traceback" not in errors


async def test_a_taken_port_ends_with_78_and_one_log_line_without_a_stack_trace() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with tiny_service("sound", FIREBREAK_PORT=str(taken.getsockname()[1])) as service:
            refused = await service.logged("cannot start")
            assert await service.ended() == os.EX_CONFIG
    assert "is taken" in refused["reason"]
    assert "FIREBREAK_PORT" in refused["fix"]
    assert "exception" not in refused


async def test_an_address_of_another_machine_is_refused_with_what_to_change() -> None:
    with pytest.raises(StartError, match="FIREBREAK_HOST"):
        async with serve(hello, "192.0.2.1", 0, supervisor=Supervisor()):
            pass


async def test_ready_says_503_and_why_until_every_check_passes() -> None:
    supervisor = Supervisor()
    readiness = Readiness(supervisor.started)
    partitions = readiness.add_flag("partitions", "none assigned yet")
    app = with_probes(hello, Probes(readiness, CollectorRegistry()))
    async with serve(app, "127.0.0.1", 0, supervisor=supervisor) as address, httpx.AsyncClient() as client:
        before = await client.get(f"{address.url}/ready")
        supervisor.started.set()
        partitions.set_ready()
        after = await client.get(f"{address.url}/ready")
    assert (before.status_code, after.status_code) == (503, 200)
    assert before.json()["checks"] == {
        "start": {"ready": False, "reason": "its parts are still starting"},
        "partitions": {"ready": False, "reason": "none assigned yet"},
    }


async def test_a_running_request_is_finished_although_the_server_no_longer_listens() -> None:
    entered = asyncio.Event()

    async def answer_once_nobody_listens(scope: Scope, _: Receive, send: Send) -> None:
        entered.set()
        await until_refused(scope["server"])
        await raw_response(200, "text/plain", b"done").send(send)

    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
        async with serve(answer_once_nobody_listens, "127.0.0.1", 0, supervisor=Supervisor()) as address:
            request = asyncio.create_task(client.get(address.url))
            await entered.wait()
        assert (await request).text == "done"


async def until_refused(address: tuple[str, int]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection(*address)
            except ConnectionError:  # reset, when it was still in the queue of the listener that closed
                return
            writer.close()


async def test_a_request_that_never_ends_is_cancelled_when_its_time_is_over() -> None:
    entered, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(_: Scope, __: Receive, ___: Send) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    limits = HttpLimits(stop_seconds=1)
    async with listening(endless, limits) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await entered.wait()
    assert await asyncio.wait_for(cancelled.wait(), PATIENCE_SECONDS)


async def test_headers_without_an_end_are_refused_before_they_fill_the_memory() -> None:
    async with listening(hello, HttpLimits(head_bytes=10_000)) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nendless: " + b"x" * 20_000)
        answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_large_bodies_and_many_requests_on_one_connection_do_not_count_as_headers() -> None:
    request = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50000\r\n\r\n" + b"x" * 50_000
    async with listening(hello, HttpLimits(head_bytes=10_000)) as (reader, writer):
        for _ in range(5):
            writer.write(request)
            await writer.drain()
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_SECONDS)
            assert head.startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(len("hello"))


async def test_the_metrics_of_a_process_name_its_version_and_memory() -> None:
    app = with_probes(hello, Probes(Readiness(Supervisor().started), new_registry("service-kit")))
    async with serve(app, "127.0.0.1", 0, supervisor=Supervisor()) as address, httpx.AsyncClient() as client:
        exposition = (await client.get(f"{address.url}/metrics")).text
    assert 'service="service-kit"' in exposition
    assert "process_resident_memory_bytes" in exposition
    assert "_created" not in exposition
