import asyncio
import json

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.types import ASGIApp, Receive, Scope, Send

from service_kit.asgi import raw_response
from service_kit.metrics import EventLoopLag
from service_kit.probes import Probes, Readiness, with_probes


async def app(_: Scope, __: Receive, send: Send) -> None:
    await raw_response(200, "text/plain", b"the app").send(send)


async def get(app: ASGIApp, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        return await client.request(method, path, headers=headers)


def started() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def ready(readiness: Readiness) -> httpx.Response:
    return await get(Probes(readiness, CollectorRegistry()), "/ready")


async def test_a_process_without_checks_is_ready() -> None:
    assert (await ready(Readiness(started()))).status_code == 200


async def test_a_process_is_not_ready_before_all_of_it_has_started() -> None:
    has_started = asyncio.Event()
    readiness = Readiness(has_started)  # the checks of what starts later are not there yet
    before = await ready(readiness)
    assert before.status_code == 503
    assert before.json()["checks"] == {"start": {"ready": False, "reason": "its parts are still starting"}}
    has_started.set()
    assert (await ready(readiness)).status_code == 200


async def test_one_failing_check_is_enough_and_every_reason_is_given() -> None:
    readiness = Readiness(started())
    readiness.add_flag("database").set_ready()
    readiness.add_flag("kafka", "no broker answers")
    answer = await ready(readiness)
    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "start": {"ready": True, "reason": None},
        "database": {"ready": True, "reason": None},
        "kafka": {"ready": False, "reason": "no broker answers"},
    }


async def test_a_part_can_lose_its_readiness_again() -> None:
    readiness = Readiness(started())
    flag = readiness.add_flag("partitions")
    flag.set_ready()
    flag.set_unready("partition 3 is paused")
    assert "partition 3 is paused" in (await ready(readiness)).text


async def test_a_check_that_raises_counts_as_not_ready_and_shows_no_password() -> None:
    async def broken() -> str | None:
        raise OSError("postgresql://firebreak:hunter2@db refused")

    readiness = Readiness(started())
    readiness.add("database", broken)
    answer = await ready(readiness)
    assert answer.status_code == 503
    assert "OSError" in answer.text
    assert "hunter2" not in answer.text


async def test_a_check_that_hangs_counts_as_not_ready() -> None:
    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    readiness = Readiness(started(), check_seconds=0.01)
    readiness.add("kafka", hangs)
    assert "no answer within" in (await ready(readiness)).json()["checks"]["kafka"]["reason"]


def test_two_checks_cannot_share_a_name() -> None:
    readiness = Readiness(started())
    readiness.add_flag("kafka")
    with pytest.raises(ValueError, match="kafka"):
        readiness.add_flag("kafka")


async def test_probes_stand_in_front_of_the_app_and_leave_it_the_other_paths() -> None:
    served = with_probes(app, Probes(Readiness(started()), CollectorRegistry()))
    assert json.loads((await get(served, "/live")).content) == {"status": "live"}
    assert (await get(served, "/tickets")).text == "the app"


async def test_alone_the_probes_answer_404_elsewhere_and_405_to_writes() -> None:
    probes = Probes(Readiness(started()), CollectorRegistry())
    assert (await get(probes, "/tickets")).status_code == 404
    refused = await get(probes, "/live", method="POST")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("accept", ["", "text/plain", "application/openmetrics-text; version=1.0.0"])
async def test_metrics_come_in_the_format_that_was_asked_for(accept: str) -> None:
    registry = CollectorRegistry()
    Counter("firebreak_webhooks", "Accepted webhooks", registry=registry).inc(3)
    answer = await get(Probes(Readiness(started()), registry), "/metrics", accept=accept)
    assert "firebreak_webhooks_total 3.0" in answer.text
    assert answer.headers["content-type"].startswith(accept.partition(";")[0] or "text/plain")
    assert answer.text.rstrip().endswith("# EOF") is accept.startswith("application")


def test_the_loop_lag_keeps_its_peak_until_it_is_fifteen_samples_old() -> None:
    registry = CollectorRegistry()
    lag = EventLoopLag(registry)
    seen = []
    for sample in [-0.001, 0.5, *[0.01] * 14, 0.02]:
        lag.record(sample)
        seen.append(registry.get_sample_value("firebreak_event_loop_lag_seconds"))
    assert seen == [0, *[0.5] * 15, 0.02]


async def test_the_loop_lag_is_the_time_that_a_timer_came_too_late() -> None:
    registry, times = CollectorRegistry(), iter([10.0, 10.25])
    lag = EventLoopLag(registry, clock=lambda: next(times))
    with pytest.raises(RuntimeError, match="StopIteration"):  # the clock stops, and the sampling with it
        await lag.sample_forever(interval_seconds=0)
    assert registry.get_sample_value("firebreak_event_loop_lag_seconds") == 0.25
