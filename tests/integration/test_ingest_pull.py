"""ingest-pull whole, on real servers: a callback reaches the job that reads, and the message reaches Kafka."""

import time
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
from ticket_contracts.topics import MESSAGES
from ticket_stream.log_inspection import LogInspector

CALLBACK = "QDG6eK:jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


async def test_a_callback_of_wecom_wakes_the_job_and_its_messages_reach_kafka(
    kafka: SharedKafka, topics: str, database_url: str, tmp_path: Path
) -> None:
    api, sender = WecomServiceApi(), WecomSender(CALLBACK, time.time, receiver_id=CORPORATION, account=CORPORATION)
    [port] = free_ports(1)
    supervisor = Supervisor()
    async with (
        serve(api, LOOPBACK, 0, supervisor=supervisor) as listening,
        wiring(_settings(kafka, topics, database_url, tmp_path, port, listening.url), supervisor),
        httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as wecom,
    ):

        async def is_ready() -> bool:
            return (await wecom.get("/ready")).is_success

        async def was_asked() -> bool:
            return len(api.calls) > 0

        async def has_arrived() -> bool:
            return await _records(kafka, topics) == 1

        await eventually(is_ready)
        await eventually(was_asked)  # by the first run; the next one is a day away, but for the callback
        api.say("m1")
        request = sender.event("kf_msg_or_event", Token="ENCApHxnGDNAVNY4AaSJKj4Tb5m", OpenKfId=ACCOUNT)
        answer = await deliver(wecom, "/callbacks/wechat-service", request)
        assert (answer.status_code, answer.text) == (200, "success")
        await eventually(has_arrived)
        assert "firebreak_job_messages_total" in (await wecom.get("/metrics")).text
    assert supervisor.failure is None


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


async def _records(kafka: SharedKafka, prefix: str) -> int:
    inspector = LogInspector(kafka.bootstrap, 5.0)
    try:
        places = [TopicPartition(prefix + MESSAGES.name, number) for number in range(MESSAGES.partitions_local)]
        return sum((await inspector.watermarks(places)).values())
    finally:
        await inspector.close()
