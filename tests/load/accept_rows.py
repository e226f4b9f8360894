"""How many requests and mails our doors take, beside bare doors that only publish."""

import time
from statistics import fmean

from firebreak_cli.local_stack.ports import LOOPBACK
from tests.load.bare_process import bare_server
from tests.load.bench_stack import BenchStack, mail_ports
from tests.load.figures import Figures, Row
from tests.load.load_process import load_process
from tests.load.mail_corpus import corpus_folder, describe_corpus
from tests.load.rounds import ROUNDS, Side, alternate, run_lap
from tests.load.standing import Standing
from tests.support.deployment_files import SHOP, SHOP_SECRET, SUPPORT_ADDRESS
from tests.support.stack import free_port_base
from ticket_contracts.topics import MESSAGES

WEBHOOK_CONNECTIONS = 64
MAIL_CONNECTIONS = 32  # below what ingest-email takes from one address
# Some of the corpus is broken on purpose; a door may say no to it, but not to much.
MAIL_REFUSALS = 0.05
BARE_WEBHOOKS, BARE_MAILS, BARE_LMTP = "bench.bare-webhooks", "bench.bare-mails", "bench.bare-lmtp"
LMTP_HELLO = "LHLO"


async def measure_webhooks(bench: BenchStack, figures: Figures, seconds: float) -> None:
    """`webhook_accept`: signature checked, read, acknowledged by Kafka. Nobody reads on, as behind the bare door."""
    stack = bench.stack
    await bench.create_topics([BARE_WEBHOOKS])
    port = free_port_base(1)
    options = {"host": LOOPBACK, "secret": SHOP_SECRET, "connections": WEBHOOK_CONNECTIONS}
    path = f"/webhooks/{SHOP}"
    async with (
        bench.lone_door("ingest-webhook", {}) as door,
        bare_server("tests.load.bare_webhook", port, stack.kafka_address, BARE_WEBHOOKS) as bare,
        load_process("tests.load.http_load", port=port, path=path, **options) as bare_load,
        load_process("tests.load.http_load", port=door.part.port, path=path, **options) as our_load,
    ):
        pids = bench.pids()
        limit, ours = await alternate(
            Side(bare_load, {"bare": bare.pid, "kafka": pids["kafka"]}),
            Side(our_load, {door.label: pids[door.label], "kafka": pids["kafka"]}),
            seconds,
        )
    note = f"{WEBHOOK_CONNECTIONS} connections, {ROUNDS} rounds of {seconds:.0f} s each"
    figures.rows.append(Row("webhook_accept", ours.rate, limit.rate, "webhooks/s", note))
    figures.usages |= {"webhook limit": limit.usages, "webhook_accept": ours.usages}


async def measure_mails(bench: BenchStack, standing: Standing, figures: Figures, seconds: float) -> None:
    """`email_accept`: answered with 250, nobody reads on; `email_to_ticket`: first byte to last stored ticket."""
    stack, corpus = bench.stack, corpus_folder()
    await bench.create_topics([BARE_MAILS])
    bare_port, door_port = free_port_base(1), free_port_base(1)
    options = {
        "host": LOOPBACK,
        "recipient": SUPPORT_ADDRESS,
        "connections": MAIL_CONNECTIONS,
        "corpus": corpus or "",
    }
    async with (
        bench.lone_door("ingest-email", mail_ports(door_port)) as door,
        bare_server("tests.load.bare_mail", bare_port, stack.kafka_address, BARE_MAILS) as bare,
        load_process("tests.load.mail_load", port=bare_port, **options) as bare_load,
        load_process("tests.load.mail_load", port=door_port, **options) as door_load,
        load_process("tests.load.mail_load", port=stack.layout.port("smtp"), **options) as our_load,
    ):
        pids = bench.pids()
        limit_side = Side(bare_load, {"bare": bare.pid, "kafka": pids["kafka"]}, MAIL_REFUSALS)
        door_side = Side(door_load, {door.label: pids[door.label], "kafka": pids["kafka"]}, MAIL_REFUSALS)
        limit, accepted = await alternate(limit_side, door_side, seconds)
        whole = Side(our_load, {name: pid for name, pid in pids.items() if name != door.label}, MAIL_REFUSALS)
        stored = []
        for _ in range(ROUNDS):
            before, began = await standing.position(MESSAGES), time.perf_counter()
            lap, usages = await run_lap(whole, seconds)
            finished = await standing.wait_until_stored(before + lap.accepted)
            stored.append((await standing.position(MESSAGES) - before) / (finished - began))
    note = f"{MAIL_CONNECTIONS} connections, {describe_corpus(corpus)}"
    figures.rows.append(Row("email_accept", accepted.rate, limit.rate, "mails/s", note))
    figures.rows.append(Row("email_to_ticket", fmean(stored), limit.rate, "mails/s", note))
    figures.usages |= {"mail limit": limit.usages, "email_accept": accepted.usages, "email_to_ticket": usages}


async def measure_lmtp(bench: BenchStack, figures: Figures, seconds: float) -> None:
    """`lmtp_accept`: as `email_accept`, by the protocol that a mail server of one's own delivers with."""
    corpus = corpus_folder()
    await bench.create_topics([BARE_LMTP])
    bare_port, smtp_port, lmtp_port = free_port_base(1), free_port_base(1), free_port_base(1)
    options = {
        "host": LOOPBACK, "recipient": SUPPORT_ADDRESS, "connections": MAIL_CONNECTIONS, "corpus": corpus or "",
        "hello": LMTP_HELLO,
    }  # fmt: skip
    async with (
        bench.lone_door("ingest-email", mail_ports(smtp_port, lmtp_port)),
        bare_server("tests.load.bare_mail", bare_port, bench.stack.kafka_address, BARE_LMTP, LMTP_HELLO),
        load_process("tests.load.mail_load", port=bare_port, **options) as bare_load,
        load_process("tests.load.mail_load", port=lmtp_port, **options) as our_load,
    ):
        limit, ours = await alternate(Side(bare_load, {}, MAIL_REFUSALS), Side(our_load, {}, MAIL_REFUSALS), seconds)
    note = f"{MAIL_CONNECTIONS} connections, {describe_corpus(corpus)}"
    figures.rows.append(Row("lmtp_accept", ours.rate, limit.rate, "mails/s", note))
