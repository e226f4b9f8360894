"""Configuration in a real database: what an apply changes, and what readers see of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ticket_store import configuration, sessions
from ticket_store.configuration import Configuration, ConfigurationRefused, Connection
from ticket_store.documents import Agent, Brand, Calendar, Document, Policy, Team

ANNA = Agent(name="anna", display_name="Anna", email="anna@example.org")
TRIAGE = Team(name="triage", display_name="Triage", members=("anna",), triage=True)
HOURS = Calendar(name="hours", week={"monday": ("09:00-17:00",)})
FAST = Policy.model_validate(
    {"name": "fast", "order": 1, "calendar": "hours", "targets": {"first_response": {"normal": "4h"}}}
)
ALL: tuple[Document, ...] = (ANNA, TRIAGE, HOURS, FAST)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await sessions.connect(database_url, application_name="test")
    yield connection
    await connection.close()


async def test_a_database_without_configuration_is_at_version_zero(connection: Connection) -> None:
    assert await configuration.load(connection) == Configuration(version=0)
    assert await configuration.read_head(connection) == 0


async def test_what_was_applied_is_what_is_loaded(connection: Connection) -> None:
    applied = await configuration.apply(connection, ALL, "anna")

    loaded = await configuration.load(connection)
    assert {versioned.document for versioned in loaded.of(Team).values()} == {TRIAGE}
    assert loaded.of(Policy)["fast"].document == FAST
    assert loaded.of(Calendar)["hours"].document == HOURS
    assert {versioned.version for versioned in loaded.documents.values()} == {1}
    assert loaded.version == applied.version == await configuration.read_head(connection) == 1


async def test_only_a_changed_document_gets_a_new_version(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    slower = FAST.model_copy(update={"warnings": (80,)})

    applied = await configuration.apply(connection, (ANNA, TRIAGE, HOURS, slower), "ben")

    assert (applied.version, applied.changed, applied.archived, applied.unchanged) == (2, (("policy", "fast"),), (), 3)
    loaded = await configuration.load(connection)
    assert loaded.of(Policy)["fast"].version == 2
    assert loaded.of(Team)["triage"].version == 1


async def test_applying_the_same_again_changes_nothing_and_keeps_the_head(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")

    applied = await configuration.apply(connection, ALL, "anna")

    assert (applied.version, applied.changed, applied.unchanged) == (1, (), 4)
    assert await connection.fetchval("SELECT count(*) FROM configuration_documents") == 4


async def test_a_document_that_is_missing_is_archived_and_its_old_version_stays_readable(
    connection: Connection,
) -> None:
    await configuration.apply(connection, ALL, "anna")

    applied = await configuration.apply(connection, (ANNA, TRIAGE), "ben")

    assert applied.archived == (("calendar", "hours"), ("policy", "fast"))
    loaded = await configuration.load(connection)
    assert loaded.get(Policy, "fast") is None
    assert loaded.version == 2
    assert await configuration.load_past(connection, Policy, [("fast", 1)]) == {("fast", 1): FAST}


async def test_an_archived_document_that_comes_back_continues_its_versions(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    await configuration.apply(connection, (ANNA, TRIAGE), "anna")
    await configuration.apply(connection, ALL, "anna")

    fast = (await configuration.load(connection)).get(Policy, "fast")
    assert fast is not None
    assert fast.version == 3


async def test_refused_documents_change_nothing(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")

    with pytest.raises(ConfigurationRefused, match="policy/fast: calendar: there is no calendar named 'hours'"):
        await configuration.apply(connection, (ANNA, TRIAGE, FAST), "ben")

    assert await configuration.read_head(connection) == 1


async def test_two_applies_at_once_follow_one_another(database_url: str) -> None:
    async with sessions.open_pool(database_url, application_name="test", max_size=4) as pool:

        async def apply_as(name: str) -> int:
            async with pool.acquire() as connection:
                brand = Brand(name=name, display_name=name)
                return (await configuration.apply(connection, (*ALL, brand), name)).version

        versions = await asyncio.gather(*(apply_as(f"brand-{number}") for number in range(4)))
        async with pool.acquire() as connection:
            loaded = await configuration.load(connection)

    assert sorted(versions) == [1, 2, 3, 4]
    assert len(loaded.of(Brand)) == 1


async def test_a_field_that_a_newer_release_added_does_not_stop_an_older_reader(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    await connection.execute("UPDATE configuration_documents SET body = body || '{\"from_tomorrow\": 1}'")

    assert (await configuration.load(connection)).of(Agent)["anna"].document == ANNA


async def test_a_kind_that_a_newer_release_added_is_passed_over(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    await connection.execute("UPDATE configuration_documents SET kind = 'macro' WHERE kind = 'policy'")

    loaded = await configuration.load(connection)
    assert set(loaded.documents) == {("agent", "anna"), ("team", "triage"), ("calendar", "hours")}
