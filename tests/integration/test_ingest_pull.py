"""ingest-pull whole, on real servers: a callback reaches the job that reads, and the message reaches Kafka."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path

import httpx
import yaml
from aiokafka.structs import TopicPartition
from pydantic import SecretStr

from firebreak_cli.local_stack.ports import LOOPBACK, free_ports
from ingest_pull.settings import IngestPullSettings
from ingest_pull.wiring import wiring
from service_kit.http_server import serve
from service_kit.supervisor import Supervisor
from tests.support.partners.signed_request import deliver
from tests.support.partners.wecom import WecomSender
from tests.support.partners.wecom_service import ACCOUNT, CORPORATION, SECRET, WecomServiceApi
from tests.support.servers import SharedKafka
from tests.support.stream_world import eventually
from tests.unit.ingest_pull.test_connect_records import RECORD
from ticket_contracts.topics import MESSAGES
from ticket_stream.log_inspection import LogInspector

CALLBACK = "QDG6eK:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


async def test_a_callback_wakes_the_job_its_messages_reach_kafka_and_sources_come_and_go_with_their_file(
    kafka: SharedKafka, topics: str, database_url: str, tmp_path: Path
) -> None:
    api, sender = WecomServiceApi(), WecomSender(CALLBACK, time.time, receiver_id=CORPORATION, account=CORPORATION)
    [port] = free_ports(1)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # were it not handled, it would end the tests
    supervisor = Supervisor()
    file, records = tmp_path / "pull-sources.yaml", tmp_path / "records"
    async with (
        serve(api, LOOPBACK, 0, supervisor=supervisor) as listening,
        wiring(_settings(kafka, topics, database_url, tmp_path, port, listening.url), supervisor),
        httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as wecom,
    ):
        supervisor.started.set()

        async def was_asked() -> bool:
            return len(api.calls) > 0

        async def has_arrived() -> bool:
            return await _records(kafka, topics) == 1

        async def has_a_call() -> bool:
            return await _records(kafka, topics) == 2

        await eventually(partial(_is_ready, wecom))
        await eventually(was_asked)  # by the first run; the next one is a day away, but for the callback
        api.say("m1")
        request = sender.event("kf_msg_or_event", Token="ENCApHxnGDNAVNY4AaSJKj4Tb5m", OpenKfId=ACCOUNT)
        answer = await deliver(wecom, "/callbacks/wechat-service", request)
        assert (answer.status_code, answer.text) == (200, "success")
        await eventually(has_arrived)

        # A file of another writing is read when it is asked for; one that is wrong changes nothing.
        file.write_text("sources: nonsense", encoding="utf-8")
        os.kill(os.getpid(), signal.SIGHUP)
        await eventually(partial(_shows, wecom, 'firebreak_sources_reloads_total{result="refused"} 1.0'))
        assert (await deliver(wecom, "/callbacks/wechat-service", request)).status_code == 200

        records.mkdir()
        (records / "contacts-1").write_text(json.dumps(RECORD), encoding="utf-8")
        added = {"name": "calls", "provider": "connect-records", "brand": "acme", "account": "calls",
                 "options": {"url": records.as_uri(), "settle_seconds": 0}}  # fmt: skip
        file.write_text(yaml.safe_dump({"sources": [added]}), encoding="utf-8")
        os.kill(os.getpid(), signal.SIGHUP)
        await eventually(has_a_call)
        assert (await deliver(wecom, "/callbacks/wechat-service", request)).status_code == 404
        assert "firebreak_job_messages_total" in (await wecom.get("/metrics")).text
    assert supervisor.failure is None


async def _is_ready(service: httpx.AsyncClient) -> bool:
    return (await service.get("/ready")).is_success


def _settings(kafka: SharedKafka, prefix: str, database: str, folder: Path, port: int, api: str) -> IngestPullSettings:
    options = {"corporation": CORPORATION, "accounts": [ACCOUNT], "api": api, "poll_seconds": 86_400}
    source = {
        "name": "wechat-service", "provider": "wecom-service", "brand": "acme", "account": CORPORATION,
        "secrets": [{"value": SECRET}], "tokens": [{"value": CALLBACK}], "options": options,
    }  # fmt: skip
    (folder / "pull-sources.yaml").write_text(yaml.safe_dump({"sources": [source]}), encoding="utf-8")
    return IngestPullSettings(
        kafka=kafka.bootstrap,
        topic_prefix=prefix,
        postgres=SecretStr(database),
        port=port,
        object_store=folder.as_uri(),
        pull_sources_file=folder / "pull-sources.yaml",
    )


async def _shows(client: httpx.AsyncClient, words: str) -> bool:
    return words in (await client.get("/metrics")).text


async def _records(kafka: SharedKafka, prefix: str) -> int:
    inspector = LogInspector(kafka.bootstrap, 5.0)
    try:
        places = [TopicPartition(prefix + MESSAGES.name, number) for number in range(MESSAGES.partitions_local)]
        return sum((await inspector.watermarks(places)).values())
    finally:
        await inspector.close()
