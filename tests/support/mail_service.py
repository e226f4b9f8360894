"""ingest-email as a process of its own, and what it has put into the log."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

import httpx
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firebreak_cli.local_stack.ports import free_ports
from ticket_contracts.envelope import read_event
from ticket_contracts.messages import MessageReceived
from ticket_contracts.topics import MESSAGES
from ticket_store.object_storage import ObjectStorage

HOST = "127.0.0.1"
START_SECONDS = 30  # on a busy machine; two seconds are usual

MAILBOXES = """
mailboxes:
  - {address: support@acme.example, brand: acme, source: mail-support}
  - {address: sales@acme.example, brand: acme, source: mail-sales}
"""


@dataclass(frozen=True)
class MailService:
    """A running ingest-email."""

    process: asyncio.subprocess.Process
    smtp_port: int
    lmtp_port: int
    http_port: int
    object_folder: Path
    mailboxes_file: Path

    @property
    def storage(self) -> ObjectStorage:
        return ObjectStorage.open(self.object_folder.as_uri())

    def worker_pids(self) -> list[int]:
        """The processes that read mail."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it may end between the two calls
                if "ingest_email.reading_worker" in child.cmdline():
                    found.append(child.pid)
        return found

    async def change_mailboxes(self, text: str, result: str) -> None:
        """Write the mailboxes file anew, ask for it to be read, and wait until that is counted with this result."""
        counted = f'firebreak_sources_reloads_total{{result="{result}"}}'
        self.mailboxes_file.write_text(text)
        self.process.send_signal(signal.SIGHUP)
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(START_SECONDS):
            while counted not in (await client.get(f"http://{HOST}:{self.http_port}/metrics")).text:  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.02)

    async def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def mail_service(
    kafka: str,
    prefix: str,
    folder: Path,
    *,
    ready: bool = True,
    mailboxes: str = MAILBOXES,
    environment: Mapping[str, str] = MappingProxyType({}),
    **settings: object,
) -> AsyncIterator[MailService]:
    """Run the service; `ready=False` waits for its open door only, for tests without Kafka."""
    smtp_port, lmtp_port, http_port = free_ports(3)
    mailboxes_file = folder / "mailboxes.yaml"
    mailboxes_file.write_text(mailboxes)
    named = {
        "kafka": kafka,
        "topic_prefix": prefix,
        "port": http_port,
        "smtp_port": smtp_port,
        "lmtp_port": lmtp_port,
        "mailboxes_file": mailboxes_file,
        "object_store": (folder / "objects").as_uri(),
        "log_format": "console",
        **settings,
    }
    ours = {f"FIREBREAK_{name.upper()}": str(value) for name, value in named.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest_email", env={**os.environ, **environment, **ours}
    )
    service = MailService(process, smtp_port, lmtp_port, http_port, folder / "objects", mailboxes_file)
    try:
        async with asyncio.timeout(START_SECONDS):
            await (_until_ready(service) if ready else _until_open(service))
        yield service
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def read_log(kafka: str, prefix: str) -> list[MessageReceived]:
    """Every message event that was acknowledged before this call, in no particular order."""
    topic = prefix + MESSAGES.name
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(MESSAGES.partitions_local)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found = []
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                record = await consumer.getone(partition)
                found.append(MessageReceived.model_validate_json(read_event(record.headers, record.value).data))
        return found
    finally:
        await consumer.stop()


def self_signed(folder: Path, host: str = "") -> tuple[Path, Path]:
    """A certificate for a name, else for HOST, that is its own authority, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host or HOST)])
    names = x509.DNSName(host) if host else x509.IPAddress(ip_address(HOST))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


async def _until_ready(service: MailService) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            _still_running(service)
            try:
                answer = await client.get(f"http://{HOST}:{service.http_port}/ready")
            except httpx.TransportError:
                pass
            else:
                if answer.is_success and len(service.worker_pids()) == 2:
                    return
            await asyncio.sleep(0.05)


async def _until_open(service: MailService) -> None:
    while True:
        _still_running(service)
        try:
            _, writer = await asyncio.open_connection(HOST, service.smtp_port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return


def _still_running(service: MailService) -> None:
    if service.process.returncode is not None:
        raise RuntimeError(f"ingest-email ended with code {service.process.returncode} while starting")
