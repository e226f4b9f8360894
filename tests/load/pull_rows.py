"""`pull` and `imap`: how many records a second a source gives that we read, beside reading and publishing alone.

A round is a fixed number of records, handed over at once: from then until the last of them is in Kafka.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.bench_stack import DOOR_PREFIX, BenchStack, mail_ports
from tests.load.call_lines import (
    CSV_HEADER,
    CSV_MAPPING,
    cdr_row,
    csv_row,
    manager_event,
    numbered_calls,
    queue_lines,
)
from tests.load.figures import Figures, Row
from tests.load.mail_corpus import corpus_folder, describe_corpus, fresh_mails
from tests.load.rounds import ROUNDS
from tests.support.deployment_files import BRAND, MAIL
from tests.support.dovecot import PASSWORD, running_dovecot
from tests.support.kept_part import wait_until
from tests.support.mail_service import self_signed
from tests.support.partners.asterisk_manager import SECRET, USER, asterisk_manager
from tests.support.stack import free_port_base
from ticket_contracts.topics import MESSAGES

RECORDS, WARM_UP_RECORDS = 2_000, 200
MAILS, WARM_UP_MAILS = 2_000, 50
POLL_SECONDS = 0.05  # so that waiting for the next look is next to nothing of a round
SECONDS = 120.0  # for a round, on a busy machine
LOOK_SECONDS = 0.005
BARE_LINES, BARE_IMAP = "bench.bare-lines", "bench.bare-imap"
ADDRESS, BARE_ADDRESS = "imap@aurora.example", "bare@aurora.example"
DOVECOT_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin"


class Arrivals:
    """How many records the lone door's topic has."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        topic = DOOR_PREFIX + MESSAGES.name
        self._places = [TopicPartition(topic, number) for number in range(MESSAGES.partitions_local)]

    async def count(self) -> int:
        return int(sum((await self._consumer.end_offsets(self._places)).values()))

    async def seconds_of(self, records: int, hand_over: Callable[[], None]) -> float:
        """From handing over until so many more have arrived."""
        before, began = await self.count(), time.perf_counter()
        hand_over()

        async def all_there() -> bool:
            return await self.count() >= before + records

        await wait_until(all_there, SECONDS, f"{records} records have arrived", every=LOOK_SECONDS)
        return time.perf_counter() - began


async def measure_pull(bench: BenchStack, figures: Figures) -> None:
    """A row for each kind that can be fed from this machine."""
    await bench.create_topics([BARE_LINES])
    stack, calls = bench.stack, numbered_calls()
    with tempfile.TemporaryDirectory(prefix="firebreak-pull-") as name:
        folder = Path(name)
        mapping, sources = folder / "mapping.yaml", folder / "pull-sources.yaml"
        mapping.write_text(CSV_MAPPING, encoding="utf-8")
        (folder / "export.csv").write_text(CSV_HEADER, encoding="utf-8")
        async with asterisk_manager() as manager:
            sources.write_text(yaml.safe_dump({"sources": _sources(folder, mapping, manager.port)}), encoding="utf-8")
            environment = {"FIREBREAK_PULL_SOURCES_FILE": str(sources), "FIREBREAK_POSTGRES": stack.database}

            def append(file: str, line: Callable[[str, str], str], records: int) -> None:
                with (folder / file).open("a", encoding="utf-8") as log:
                    log.write("".join(line(*call) for call in islice(calls, records)))

            def tell(records: int) -> None:
                for call in islice(calls, records):
                    manager.tell("Cdr", **manager_event(*call))

            kinds: Mapping[str, Callable[[int], None]] = {
                "asterisk_cdr": lambda records: append("Master.csv", cdr_row, records),
                "asterisk_queue_log": lambda records: append("queue_log", queue_lines, records),
                "csv": lambda records: append("export.csv", csv_row, records),
                "asterisk_ami": tell,
            }
            bare = folder / "bare.csv"
            bare.write_text("".join(cdr_row(*call) for call in islice(calls, RECORDS)), encoding="utf-8")
            consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka_address, enable_auto_commit=False)
            async with bench.without("ingest-pull"), bench.lone_door("ingest-pull", environment):
                await consumer.start()
                try:
                    await manager.logged_in.wait()
                    for kind, hand_over in kinds.items():
                        row = await _measure_kind(bench, Arrivals(consumer), kind, hand_over, bare)
                        figures.rows.append(row)
                finally:
                    await consumer.stop()


async def _measure_kind(
    bench: BenchStack, arrivals: Arrivals, kind: str, hand_over: Callable[[int], None], bare: Path
) -> Row:
    await arrivals.seconds_of(WARM_UP_RECORDS, lambda: hand_over(WARM_UP_RECORDS))
    limits, ours = [], []
    for _ in range(ROUNDS):
        arguments = (str(bare), bench.stack.kafka_address, BARE_LINES, str(RECORDS))
        limits.append(RECORDS / await _bare_seconds("tests.load.bare_lines", arguments))
        ours.append(RECORDS / await arrivals.seconds_of(RECORDS, lambda: hand_over(RECORDS)))
    note = f"{ROUNDS} rounds of {RECORDS:,} calls; the limit reads a file's lines and publishes as many messages"
    return Row(f"pull_{kind}", fmean(ours), fmean(limits), "calls/s", note)


async def measure_imap(bench: BenchStack, figures: Figures) -> None:
    """A mailbox of a Dovecot that is filled at once; without a Dovecot there is no row but the reason."""
    if shutil.which("dovecot", path=DOVECOT_PLACES) is None:
        figures.rows.append(Row("imap", 0.0, None, "mails/s", "not measured: no Dovecot is installed"))
        return
    await bench.create_topics([BARE_IMAP])
    with tempfile.TemporaryDirectory(prefix="firebreak-dovecot-") as name:
        folder = Path(name)
        os.chmod(folder, 0o755)  # Dovecot runs as a user of its own
        async with running_dovecot(folder, [ADDRESS, BARE_ADDRESS], self_signed(folder)) as dovecot:
            mails = fresh_mails(corpus_folder())
            mailboxes = folder / "mailboxes.yaml"
            mailboxes.write_text(yaml.safe_dump({"mailboxes": [_mailbox(dovecot.port)]}), encoding="utf-8")
            environment = {
                "FIREBREAK_MAILBOXES_FILE": str(mailboxes),
                "FIREBREAK_POSTGRES": bench.stack.database,
                **mail_ports(free_port_base(1)),
            }

            def deliver(user: str, count: int) -> None:
                for raw in islice(mails, count):
                    dovecot.deliver(user, raw)

            deliver(BARE_ADDRESS, MAILS)
            arguments = (str(dovecot.port), BARE_ADDRESS, PASSWORD, bench.stack.kafka_address, BARE_IMAP, str(MAILS))
            consumer = AIOKafkaConsumer(bootstrap_servers=bench.stack.kafka_address, enable_auto_commit=False)
            async with bench.lone_door("ingest-email", environment):
                await consumer.start()
                try:
                    arrivals, limits, ours = Arrivals(consumer), [], []
                    await arrivals.seconds_of(WARM_UP_MAILS, lambda: deliver(ADDRESS, WARM_UP_MAILS))
                    for _ in range(ROUNDS):
                        limits.append(MAILS / await _bare_seconds("tests.load.bare_imap", arguments))
                        ours.append(MAILS / await arrivals.seconds_of(MAILS, lambda: deliver(ADDRESS, MAILS)))
                finally:
                    await consumer.stop()
    note = (
        f"{ROUNDS} rounds of {MAILS:,} mails, from delivering them into Dovecot on; {describe_corpus(corpus_folder())}"
    )
    figures.rows.append(Row("imap", fmean(ours), fmean(limits), "mails/s", note))


def _sources(folder: Path, mapping: Path, manager_port: int) -> list[dict[str, object]]:
    files = {"folder": str(folder), "begin": "start", "region": "CN", "settle_seconds": 0, "poll_seconds": POLL_SECONDS}
    kinds: Sequence[tuple[str, dict[str, object]]] = (
        ("asterisk-cdr", files),
        ("asterisk-queue-log", files),
        ("csv", {**files, "files": "export.csv", "mapping": str(mapping)}),
        ("asterisk-ami", {"host": LOOPBACK, "port": manager_port, "region": "CN", "settle_seconds": 0}),
    )
    login = {"asterisk-ami": [{"value": f"{USER}:{SECRET}"}]}
    return [
        {
            "name": f"bench-{kind}", "provider": kind, "brand": BRAND, "account": kind, "options": options,
            "secrets": login.get(kind, []),
        }
        for kind, options in kinds
    ]  # fmt: skip


def _mailbox(port: int) -> dict[str, object]:
    imap = {"host": LOOPBACK, "port": port, "security": "none", "user": ADDRESS, "password": {"value": PASSWORD}}
    return {"address": ADDRESS, "brand": BRAND, "source": MAIL, "imap": {**imap, "begin": "start", "poll_seconds": 1}}


async def _bare_seconds(module: str, arguments: Sequence[str]) -> float:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdout=PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0, "its error stands above"
    return float(json.loads(output)["seconds"])
