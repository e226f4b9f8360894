"""From a data directory to a running stack: every step of `firebreak up`, in order, undone in reverse."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from firebreak_cli.example_configuration import apply_example
from firebreak_cli.first_start import ensure_file, new_key, register_key
from firebreak_cli.local_stack.errors import LocalStackError
from firebreak_cli.local_stack.kafka_server import KafkaServer, kafka_answers
from firebreak_cli.local_stack.postgres_server import PostgresServer, postgres_answers
from firebreak_cli.local_stack.server_process import ServerProcess
from firebreak_cli.preflight import StackPlan, check_ports, clear_orphans
from firebreak_cli.progress import Progress
from firebreak_cli.service_process import Surroundings, make_services
from firebreak_cli.sources import new_mailboxes, new_pull_sources, new_sources
from firebreak_cli.stack_layout import StackLayout
from firebreak_cli.stack_lock import exclusive
from firebreak_cli.stack_state import Phase, ProcessRecord, StackState
from firebreak_cli.stream_troubles import WHAT_TO_DO, troubles_at
from firebreak_cli.supervisor import Supervisor
from ticket_contracts.topics import TOPICS
from ticket_store.migrations import upgrade_async
from ticket_stream.failures import StreamRefused
from ticket_stream.topic_admin import TopicMissing, create_topics


@asynccontextmanager
async def running_stack(plan: StackPlan, progress: Progress) -> AsyncIterator[Surroundings]:
    """Run a stack: everything answers inside the block, nothing is left after it."""
    layout = plan.layout
    with exclusive(layout.lock_file):
        clear_orphans(layout, progress)
        check_ports(layout, plan.existing)
        us = ProcessRecord.of("supervisor", os.getpid(), layout.port_base)
        state = StackState(supervisor=us, port_base=layout.port_base)
        supervisor = Supervisor(state, layout.state_file, progress.warn)
        try:
            yield await _start(plan, supervisor, Progress(progress.console, supervisor.note_step))
        finally:
            try:
                with progress.step("Stopping"):
                    await supervisor.stop()
            except BaseException:  # a second Ctrl-C: the person does not want to wait
                await supervisor.kill()
                raise


async def _start(plan: StackPlan, supervisor: Supervisor, progress: Progress) -> Surroundings:
    layout = plan.layout
    around = await _start_servers(plan, supervisor, progress)
    supervisor.note(kafka=around.kafka, postgres=around.postgres, topic_prefix=around.topic_prefix)
    with progress.step("Preparing topics"):
        await _prepare_topics(around)
    with progress.step("Preparing the database"):
        await _prepare_database(layout, around.postgres)
    ensure_file(layout.sources_file, new_sources)
    layout.call_logs.mkdir(exist_ok=True)
    ensure_file(layout.pull_sources_file, lambda: new_pull_sources(layout.call_logs))
    ensure_file(layout.mailboxes_file, new_mailboxes)
    layout.objects.mkdir(exist_ok=True)
    services = make_services(layout, around)
    with progress.step("Starting " + ", ".join(service.name for service in services)):
        await supervisor.start(services)
    supervisor.note(phase=Phase.READY, step="")
    return around


async def _start_servers(plan: StackPlan, supervisor: Supervisor, progress: Progress) -> Surroundings:
    layout, existing = plan.layout, plan.existing
    kafka = postgres = None
    if not existing.kafka:
        kafka = KafkaServer(layout.kafka_home, layout.log_file("kafka"), layout.kafka_ports, plan.jars)
    if not existing.postgres:
        postgres = PostgresServer(layout.postgres_home, layout.log_file("postgres"), layout.port("postgres"))
    ours: list[ServerProcess] = [server for server in (kafka, postgres) if server is not None]
    if ours:
        with progress.step("Starting " + " and ".join(server.name for server in ours)):
            await supervisor.start(ours)
    around = Surroundings(
        kafka=kafka.bootstrap if kafka else str(existing.kafka),
        postgres=postgres.url if postgres else str(existing.postgres),  # our password exists since the first start
        topic_prefix=existing.topic_prefix,
    )
    await _require_answers(around)
    return around


async def _require_answers(around: Surroundings) -> None:
    """Name a server that does not answer, before anything fails for want of it."""
    if not await kafka_answers(around.kafka):
        raise LocalStackError(f"Kafka at {around.kafka} (FIREBREAK_KAFKA) does not answer.")
    try:
        answers = await postgres_answers(around.postgres)
    except asyncpg.PostgresError as error:  # it answers, and refuses: a wrong password, a missing database
        raise LocalStackError(f"PostgreSQL (FIREBREAK_POSTGRES) refuses us: {error}") from error
    if not answers:
        raise LocalStackError("PostgreSQL at the address in FIREBREAK_POSTGRES does not answer.")


async def _prepare_topics(around: Surroundings) -> None:
    try:
        await create_topics(around.kafka, around.topic_prefix, TOPICS)
    except (StreamRefused, TopicMissing) as error:
        raise LocalStackError(f"Topics on {around.kafka}: {error}.") from error


async def _prepare_database(layout: StackLayout, url: str) -> None:
    await upgrade_async(url)  # also analyses: young tables must not get plans for empty ones
    await apply_example(url)
    await register_key(url, ensure_file(layout.api_key_file, new_key), uuid4(), datetime.now(UTC))
    troubles = await troubles_at(url)
    if troubles is not None and troubles.refusals:  # no service would ever become ready
        raise LocalStackError(f"Nothing can be processed: {troubles.refusals[0].reason}.\n{WHAT_TO_DO}")
