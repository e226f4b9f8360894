"""Every version of the configuration can be seen, planned against and gone back to, on a real database."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.resources import files
from uuid import UUID, uuid4

import pytest

from tests.integration.test_store_configuration import ALL, ANNA, FAST, HOURS, TRIAGE
from tests.support.servers import SharedPostgres
from ticket_store import configuration, migrations, roll_outs, sessions
from ticket_store.configuration import Connection, HeadMoved
from ticket_store.configuration_history import NoSuchVersion, list_versions, load_version, roll_back
from ticket_store.configuration_plan import FieldChange, plan
from ticket_store.documents import Document, Team
from ticket_store.roll_outs import CalendarScope, TicketScope, read_roll_outs

LONGER = HOURS.model_copy(update={"week": {"monday": ("09:00-18:00",)}})
SLOWER = FAST.model_copy(update={"warnings": (80,)})
SECOND = Team(name="second", display_name="Second")

EARLIER = """
INSERT INTO configuration_documents (kind, name, version, archived, body, applied_at, applied_by)
VALUES ('brand', $1, $2, $3, jsonb_build_object('name', $1::text, 'display_name', $1::text), $4, 'anna')
"""
ADD_TICKET = """
INSERT INTO tickets (ticket_id, number, version, brand, channel, contact_id, subject, status, team, tags, opened_at,
                     updated_at, state)
VALUES ($1, nextval('ticket_numbers'), 1, 'acme', 'email', $1, 'x', $2, $3, '{}', now(), now(), '{"policy": "fast"}')
"""
ADD_CLOCK = """
INSERT INTO clocks (ticket_id, metric, cycle, status, policy, policy_version, target_seconds, used_seconds, started_at,
                    stopped_at)
VALUES ($1, 'resolution', 1, $2, 'fast', 1, 60, 0, now(), CASE WHEN $2 = 'met' THEN now() END)
"""


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    connection = await sessions.connect(database_url, application_name="test")
    yield connection
    await connection.close()


async def add_ticket(connection: Connection, clock: str, status: str = "open", team: str = "triage") -> UUID:
    ticket_id = uuid4()
    await connection.execute(ADD_TICKET, ticket_id, status, team)
    await connection.execute(ADD_CLOCK, ticket_id, clock)
    return ticket_id


def by_name(*documents: Document) -> dict[tuple[str, str], Document]:
    return {(each.kind, each.name): each for each in documents}


async def in_force(connection: Connection, version: int) -> dict[tuple[str, str], Document]:
    return by_name(*(each.document for each in (await load_version(connection, version)).documents.values()))


async def test_every_version_can_be_read_as_it_was(connection: Connection) -> None:
    wholes: list[tuple[Document, ...]] = [ALL, (ANNA, TRIAGE, HOURS, SLOWER), (ANNA, TRIAGE), ALL]
    for whole in wholes:
        await configuration.apply(connection, whole, "anna")

    assert [await in_force(connection, version) for version in (1, 2, 3, 4)] == [by_name(*whole) for whole in wholes]


async def test_the_history_names_who_and_what(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    await configuration.apply(connection, (ANNA, TRIAGE, LONGER), "ben")

    newest, first = await list_versions(connection)

    assert (newest.version, newest.applied_by, newest.changed, newest.archived) == (
        2, "ben", ("calendar/hours",), ("policy/fast",),
    )  # fmt: skip
    assert (first.version, first.applied_by, first.archived) == (1, "anna", ())
    assert first.changed == ("agent/anna", "calendar/hours", "policy/fast", "team/triage")
    assert (newest.added, first.added) == ((), first.changed)
    assert newest.applied_at > first.applied_at
    assert [each.version for each in await list_versions(connection, before=2)] == [1]


async def test_the_history_tells_what_was_added_from_what_was_changed(connection: Connection) -> None:
    for whole in ((*ALL, SECOND), ALL, (ANNA, TRIAGE, LONGER, FAST, SECOND)):
        await configuration.apply(connection, whole, "anna")

    newest, *_ = await list_versions(connection)

    assert newest.changed == ("calendar/hours", "team/second")
    assert newest.added == ("team/second",)  # it was archived, and comes back


async def test_what_an_earlier_release_applied_gets_its_versions_by_migration(postgres: SharedPostgres) -> None:
    """Its tables knew neither the head of a document's version nor who made a head."""
    folder = files(migrations) / "versions"
    connection = await sessions.connect(await postgres.empty_database(), application_name="test")
    try:
        await connection.execute((folder / "first_tables_0001.sql").read_text())
        await connection.execute("INSERT INTO configuration_head (id, version) VALUES (1, 7)")
        for day, (name, version, archived) in enumerate([("x", 1, False), ("y", 1, False), ("x", 2, True)]):
            await connection.execute(EARLIER, name, version, archived, datetime(2026, 1, 1 + day, tzinfo=UTC))
        await connection.execute((folder / "configuration_history_0003.sql").read_text())

        assert [set((await load_version(connection, head)).documents) for head in (4, 5, 6, 7)] == [
            set(), {("brand", "x")}, {("brand", "x"), ("brand", "y")}, {("brand", "y")},
        ]  # fmt: skip
        assert [(each.version, each.applied_by) for each in await list_versions(connection)] == [
            (7, "anna"), (6, "anna"), (5, "anna"),
        ]  # fmt: skip
    finally:
        await connection.close()


async def test_going_back_is_a_version_of_its_own_that_says_to_which(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    await configuration.apply(connection, (ANNA, TRIAGE, SECOND), "ben")

    applied = await roll_back(connection, 1, "carla")

    assert applied.version == 3
    assert await in_force(connection, 3) == by_name(*ALL)
    assert (await list_versions(connection))[0].rolled_back_to == 1


async def test_going_back_to_what_is_in_force_changes_nothing(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")

    assert (await roll_back(connection, 1, "anna")).version == 1
    assert len(await list_versions(connection)) == 1


@pytest.mark.parametrize("version", [0, 2])
async def test_a_version_that_never_was_is_refused_with_those_that_are(connection: Connection, version: int) -> None:
    await configuration.apply(connection, ALL, "anna")

    with pytest.raises(NoSuchVersion, match="give one from 1 to 1"):
        await load_version(connection, version)


async def test_an_apply_on_an_old_view_is_refused_and_changes_nothing(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    await configuration.apply(connection, (*ALL, SECOND), "ben")

    with pytest.raises(HeadMoved, match="at version 2 by now, not at 1"):
        await configuration.apply(connection, ALL, "anna", expected_head=1)

    assert await in_force(connection, 2) == by_name(*ALL, SECOND)


async def test_a_plan_names_documents_fields_and_the_open_tickets_that_hold_them(connection: Connection) -> None:
    await configuration.apply(connection, (*ALL, SECOND), "anna")
    for clock in ("running", "paused", "breached", "met"):
        await add_ticket(connection, clock)
    await add_ticket(connection, "met", status="closed")
    await add_ticket(connection, "met", team="second")

    planned = await plan(connection, await configuration.load(connection), (ANNA, TRIAGE, LONGER, SLOWER))

    calendar, policy, team = planned.changes
    assert (planned.head, planned.unchanged) == (1, 2)
    assert (calendar.name, calendar.change, calendar.open_tickets) == ("hours", "changed", 3)
    assert calendar.fields == (FieldChange("week.monday", '["09:00-17:00"]', '["09:00-18:00"]'),)
    assert (policy.name, policy.change, policy.open_tickets) == ("fast", "changed", 5)
    assert policy.fields == (FieldChange("warnings", "[50, 75, 90]", "[80]"),)
    assert (team.name, team.change, team.open_tickets) == ("second", "archived", 1)
    assert not any(change.at_least or change.parts for change in planned.changes)
    assert await configuration.read_head(connection) == 1


async def test_a_plan_of_what_is_in_force_is_empty(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")

    planned = await plan(connection, await configuration.load(connection), ALL)

    assert (planned.changes, planned.unchanged) == ((), 4)


async def test_a_changed_calendar_asks_for_a_roll_out_in_the_same_transaction(connection: Connection) -> None:
    first = await configuration.apply(connection, ALL, "anna")
    second = await configuration.apply(connection, (ANNA, TRIAGE, LONGER, FAST), "ben")

    [roll_out] = await read_roll_outs(connection, 10)
    assert (first.roll_out, second.roll_out) == (None, roll_out.rollout_id)
    assert (roll_out.head, roll_out.kind, roll_out.requested_by) == (2, "recalculate", "ben")
    assert roll_out.scope == CalendarScope(calendars=("hours",))


async def test_a_calendar_that_comes_back_otherwise_moves_the_clocks_that_still_run_on_it(
    connection: Connection,
) -> None:
    await configuration.apply(connection, ALL, "anna")
    await configuration.apply(connection, (ANNA, TRIAGE), "anna")

    assert (await configuration.apply(connection, (ANNA, TRIAGE, LONGER), "anna")).roll_out is not None


async def test_other_changes_move_no_clock_because_tickets_keep_their_policy_version(connection: Connection) -> None:
    await configuration.apply(connection, ALL, "anna")
    await configuration.apply(connection, (ANNA, TRIAGE, HOURS, SLOWER, SECOND), "anna")

    assert await read_roll_outs(connection, 10) == []


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (TicketScope(team="triage"), 2),
        (TicketScope(team="nobody"), 0),
        (TicketScope(policy="fast"), 3),
        (TicketScope(policy="other"), 0),
        (TicketScope(everything=True), 3),
        (TicketScope.model_validate({"opened_after": "2020-01-01T00:00:00Z", "team": "second"}), 1),
        (TicketScope.model_validate({"opened_before": "2020-01-01T00:00:00Z"}), 0),
    ],
    ids=str,
)
async def test_a_stated_set_holds_what_its_conditions_say_and_no_closed_ticket(
    connection: Connection, scope: TicketScope, found: int
) -> None:
    for team in ("triage", "triage", "second"):
        await add_ticket(connection, "running", team=team)
    await add_ticket(connection, "met", status="closed")

    assert await roll_outs.count_tickets(connection, scope) == found


@pytest.mark.parametrize("said", [{}, {"everything": True, "team": "triage"}], ids=str)
def test_a_set_must_be_stated_by_conditions_or_as_everything(said: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="state a condition"):
        TicketScope.model_validate(said)
