"""Firebreak's own services as child processes."""

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from firebreak_cli.local_stack.child_process import Command
from firebreak_cli.local_stack.ports import LOOPBACK
from firebreak_cli.local_stack.server_process import ServerProcess
from firebreak_cli.stack_layout import StackLayout

STOP_TIMEOUT = 15.0  # seconds; a service gives itself 10 (FIREBREAK_STOP_SECONDS)
ASK_TIMEOUT = 2.0  # seconds for /ready; its own checks end within 0.8

# The distribution and the package to run; both are the same word but for the router. In the order of starting:
# whoever consumes stands ready before the doors open.
PACKAGES = {
    "router": "ticket_router",
    "sla-engine": "sla_engine",
    "crm-api": "crm_api",
    "ingest-files": "ingest_files",
    "ingest-webhook": "ingest_webhook",
    "ingest-email": "ingest_email",
    "ingest-pull": "ingest_pull",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every service is told about the others."""

    kafka: str
    postgres: str
    topic_prefix: str


class ServiceProcess(ServerProcess):
    """One service; `GET /ready` says whether it works."""

    def __init__(self, name: str, port: int, log_file: Path, environment: Mapping[str, str]) -> None:
        super().__init__(name, port, log_file, signal.SIGTERM, STOP_TIMEOUT)
        self._environment = environment

    async def prepare(self) -> None:
        """Services keep nothing of their own on this machine."""

    def command(self) -> Command:
        return Command([sys.executable, "-m", PACKAGES[self.name]], self.log_file, self._environment)

    async def answers(self) -> bool:
        return await http_ready(self.port)


async def http_ready(port: int) -> bool:
    """Ask a service whether it is ready."""
    # Loopback never goes through the proxy that the environment may name.
    async with httpx.AsyncClient(trust_env=False, timeout=ASK_TIMEOUT) as client:
        try:
            return (await client.get(f"http://{LOOPBACK}:{port}/ready")).is_success
        except httpx.TransportError:
            return False


def make_services(layout: StackLayout, around: Surroundings) -> list[ServiceProcess]:
    """Build every service with its environment; nothing is started."""
    shared = {
        "FIREBREAK_KAFKA": around.kafka,
        "FIREBREAK_POSTGRES": around.postgres,
        "FIREBREAK_TOPIC_PREFIX": around.topic_prefix,
        "FIREBREAK_HOST": LOOPBACK,
        "FIREBREAK_OBJECT_STORE": layout.objects.absolute().as_uri(),
        "FIREBREAK_SOURCES_FILE": str(layout.sources_file.absolute()),
        "FIREBREAK_PULL_SOURCES_FILE": str(layout.pull_sources_file.absolute()),
        "FIREBREAK_MAILBOXES_FILE": str(layout.mailboxes_file.absolute()),
        "FIREBREAK_SMTP_HOST": LOOPBACK,
        "FIREBREAK_SMTP_PORT": str(layout.port("smtp")),
        "FIREBREAK_LMTP_PORT": str(layout.port("lmtp")),
    }
    return [
        ServiceProcess(
            name, layout.port(name), layout.log_file(name), {**shared, "FIREBREAK_PORT": str(layout.port(name))}
        )
        for name in PACKAGES
    ]
