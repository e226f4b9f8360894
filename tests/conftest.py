"""Fixtures for every test: one real Kafka and one real PostgreSQL per run, and names that keep tests apart."""

import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.support.debian_packages import CANNOT_RUN_HERE
from tests.support.servers import SharedKafka, SharedPostgres, kafka_server, postgres_server

# No test asserts a time: a busy machine is no failure. All else stays hypothesis's own, on CI its CI profile.
settings.register_profile(
    "untimed",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("untimed")

LEDGER = "ledger"
"""Names the lines among a report's properties; those also come from the other processes of a run on several."""


@pytest_asyncio.fixture(scope="session")
async def kafka() -> AsyncIterator[SharedKafka]:
    """The run's Kafka, or the one named by FIREBREAK_TEST_KAFKA. Never kill it: see `tests.support.servers`."""
    if running := os.environ.get("FIREBREAK_TEST_KAFKA"):
        yield SharedKafka(running)
        return
    async with kafka_server() as server:
        yield SharedKafka(server.bootstrap)


@pytest_asyncio.fixture(scope="session")
async def postgres() -> AsyncIterator[SharedPostgres]:
    """The run's PostgreSQL, or the one named by FIREBREAK_TEST_POSTGRES (a superuser's URL). Never kill it."""
    if running := os.environ.get("FIREBREAK_TEST_POSTGRES"):
        shared = SharedPostgres(running)
        yield shared
        await shared.drop_all()
        return
    async with postgres_server() as server:
        yield SharedPostgres(server.url)


@pytest.fixture
def topic_prefix() -> str:
    """A prefix that no other test uses. No topic exists under it yet."""
    return f"test-{uuid.uuid4().hex}."


@pytest_asyncio.fixture
async def topics(kafka: SharedKafka, topic_prefix: str) -> AsyncIterator[str]:
    """The prefix under which this test's own topics exist, with the table's partition counts."""
    await kafka.create_topics(topic_prefix)
    yield topic_prefix
    await kafka.delete_topics(topic_prefix)


@pytest_asyncio.fixture
async def database_url(postgres: SharedPostgres) -> str:
    """A migrated database of this test's own."""
    return await postgres.fresh_database()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI nothing may be skipped that the machine could run: a green run must mean that everything ran."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    if os.environ.get("CI") == "true" and not all(CANNOT_RUN_HERE in str(report.longrepr) for report in skipped):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the ledgers of fault tests; here, because with several processes the first loads no conftest below."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and report.when == "call":
                _print_ledger(terminalreporter, report)


def _print_ledger(reporter: pytest.TerminalReporter, report: pytest.TestReport) -> None:
    ledgers = [lines for name, lines in report.user_properties if name == LEDGER and isinstance(lines, list)]
    if ledgers:
        reporter.section(report.nodeid.rpartition("::")[2])
    for line in (line for lines in ledgers for line in lines):
        reporter.line(line)
