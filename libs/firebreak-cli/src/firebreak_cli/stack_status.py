"""The answer of `firebreak status`: addresses and processes of a stack, asked for now."""

import asyncio
from pathlib import Path

from pydantic import BaseModel

from firebreak_cli.local_stack.kafka_server import kafka_answers
from firebreak_cli.local_stack.ports import LOOPBACK
from firebreak_cli.local_stack.postgres_server import postgres_answers
from firebreak_cli.service_process import PACKAGES, http_ready
from firebreak_cli.stack_layout import StackLayout
from firebreak_cli.stack_state import Phase, ProcessRecord, StackState, read_state
from firebreak_cli.stream_troubles import PausedPartition, Refusal, Troubles, troubles_at


class ServiceStatus(BaseModel):
    """One process of the stack."""

    name: str
    pid: int
    port: int
    ready: bool


class StackStatus(BaseModel):
    """What scripts read with `--json`. None: not built yet, or not running."""

    running: bool
    api: str | None = None
    webhooks: str | None = None
    console: str | None = None
    smtp: str | None = None
    lmtp: str | None = None
    kafka: str | None = None
    postgres: str | None = None
    api_key_file: str | None = None
    sources_file: str | None = None
    pull_sources_file: str | None = None
    log_dir: str | None = None
    services: list[ServiceStatus] = []
    paused: list[PausedPartition] = []
    refusals: list[Refusal] = []


def running_state(data_dir: Path) -> StackState | None:
    """Return the state of the stack that runs on the data directory, None when none does."""
    state = read_state(StackLayout(data_dir, 0).state_file)
    return state if state is not None and state.supervisor.find() is not None else None


async def stack_status(data_dir: Path) -> StackStatus:
    """Describe the stack that runs on the data directory, whose path is absolute."""
    state = running_state(data_dir)
    if state is None:
        return StackStatus(running=False)
    layout = StackLayout(data_dir, state.port_base)
    services = await asyncio.gather(*(_service_status(record, state) for record in state.processes))
    troubles = (await troubles_at(state.postgres) if state.postgres else None) or Troubles()
    return StackStatus(
        running=state.phase is Phase.READY,
        api=layout.url("crm-api"),
        webhooks=layout.url("ingest-webhook"),
        smtp=f"{LOOPBACK}:{layout.port('smtp')}",
        lmtp=f"{LOOPBACK}:{layout.port('lmtp')}",
        kafka=state.kafka,
        postgres=state.postgres,
        api_key_file=str(layout.api_key_file),
        sources_file=str(layout.sources_file),
        pull_sources_file=str(layout.pull_sources_file),
        log_dir=str(layout.log_dir),
        services=list(services),
        paused=troubles.paused,
        refusals=troubles.refusals,
    )


async def _service_status(record: ProcessRecord, state: StackState) -> ServiceStatus:
    if record.find() is None:
        ready = False
    elif record.name in PACKAGES:
        ready = await http_ready(record.port)
    elif record.name == "kafka":
        ready = await kafka_answers(f"{LOOPBACK}:{record.port}")
    else:
        ready = state.postgres is not None and await postgres_answers(state.postgres)
    return ServiceStatus(name=record.name, pid=record.pid, port=record.port, ready=ready)
