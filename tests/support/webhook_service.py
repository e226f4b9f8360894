"""ingest-webhook as a process of its own, with one source of each provider."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from firebreak_cli.local_stack.ports import free_ports
from tests.support.deployment_files import write_sources

HOST = "127.0.0.1"
START_SECONDS = 30  # a Python process on a busy machine
ASK_EVERY = 0.05


@dataclass
class WebhookService:
    """The running process. `client` has its address as base."""

    process: asyncio.subprocess.Process
    sources_file: Path
    client: httpx.AsyncClient

    async def metric(self, line: str) -> float:
        """Return the value of the sample that is written like this, 0 while there is none."""
        exposed = (await self.client.get("/metrics")).text.splitlines()
        return next((float(found.rpartition(" ")[2]) for found in exposed if found.startswith(f"{line} ")), 0.0)

    async def until_ready(self, ready: bool = True) -> None:
        """Return once /ready says so, or no longer says so."""
        async with asyncio.timeout(START_SECONDS):
            while await self.is_ready() is not ready:  # noqa: ASYNC110 - another process: there is no event to wait for
                await asyncio.sleep(ASK_EVERY)

    async def is_ready(self) -> bool | None:
        """Return what /ready says; None while nobody listens."""
        assert self.process.returncode is None, f"ingest-webhook ended with {self.process.returncode}"
        try:
            return (await self.client.get("/ready")).is_success
        except httpx.TransportError:
            return None


@asynccontextmanager
async def webhook_service(kafka: str, prefix: str, folder: Path, **settings: object) -> AsyncIterator[WebhookService]:
    """Run the service until the block ends; returns once it listens, ready or not."""
    [port] = free_ports(1)
    sources_file = folder / "sources.yaml"
    write_sources(sources_file)
    named = {
        "kafka": kafka,
        "topic_prefix": prefix,
        "port": port,
        "sources_file": sources_file,
        "object_store": (folder / "objects").as_uri(),
        "log_format": "console",
        **settings,
    }
    environment = {f"FIREBREAK_{name.upper()}": str(value) for name, value in named.items()}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "ingest_webhook", env=os.environ | environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=30) as client:
            service = WebhookService(process, sources_file, client)
            await _until_listening(service)
            yield service
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_listening(service: WebhookService) -> None:
    async with asyncio.timeout(START_SECONDS):
        while await service.is_ready() is None:  # noqa: ASYNC110 - as above
            await asyncio.sleep(ASK_EVERY)
