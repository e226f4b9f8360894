"""The engine on a real database: one transaction a batch, each command's effect once, versions without gaps."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID, uuid5

import asyncpg
import pytest
import pytest_asyncio

from sla_engine.check_fold import TicketRange, check_folds
from sla_engine.compile_policies import PolicyBook
from sla_engine.domain.evolve import evolve
from sla_engine.domain.ticket import MOST_KEPT_IDS
from sla_engine.forget_outcomes import forget
from sla_engine.report_dead_letter import report_dead_letter
from sla_engine.stored_state import decode_fact, decode_state
from sla_engine.write_tickets import SecondWriter
from tests.support.sla_engine import OFFICE, ORIGIN, STANDARD, EngineUnderTest, as_record, configure, types_of
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, a_message, moment
from ticket_contracts.actions import MarkSpam
from ticket_contracts.commands import AddNote, Assign, Command, ReceiveMessage, Reply, Routing, SetPriority, SetStatus
from ticket_contracts.exchanges import follow_up_id
from ticket_contracts.topics import ALERTS, COMMANDS, TICKETS
from ticket_contracts.vocabulary import Metric, Priority, Status
from ticket_store.documents import Group, Policy, Team
from ticket_store.sessions import open_pool
from ticket_stream.failures import PoisonRecord, UnknownType
from ticket_stream.processing import DueTimer, Record

TICKETS_OF_BATCH = [uuid5(CUSTOMER_ID, f"ticket {number}") for number in range(5)]
ONE = TICKETS_OF_BATCH[0]
TEN = moment("mon 10:00")
EARLY = moment("mon 10:10")  # before the first warning, at 10:30


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[EngineUnderTest]:
    async with open_pool(database_url, application_name="test engine", index_plans=True) as pool:
        await configure(pool, OFFICE, STANDARD)
        yield EngineUnderTest(pool)


def received(ticket_id: UUID = ONE, number: int = 1, at: datetime = TEN) -> ReceiveMessage:
    routing = Routing(team="service", priority=Priority.NORMAL, tags=("pump",))
    message = a_message(at, number)
    return ReceiveMessage(ticket_id=ticket_id, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=routing)


def asked(engine: EngineUnderTest, *commands: Command, at: datetime = EARLY, prefix: str = "c") -> list[Record]:
    return [engine.record(command, at, f"{prefix}{number}") for number, command in enumerate(commands, start=1)]


async def open_one(engine: EngineUnderTest) -> None:
    await engine.run([engine.record(received(), TEN, "open")], now=TEN)


async def outcomes(engine: EngineUnderTest) -> dict[str, str]:
    return {row["command_id"]: row["outcome"] for row in await engine.rows("SELECT * FROM command_outcomes")}


async def test_a_batch_of_messages_becomes_tickets_with_numbers_clocks_conversation_and_facts(
    engine: EngineUnderTest,
) -> None:
    records = [engine.record(received(ticket_id), TEN, str(ticket_id)) for ticket_id in TICKETS_OF_BATCH]
    published = await engine.run(records, now=TEN)
    assert types_of(published) == ["ticket.opened"] * 5
    rows = await engine.rows("SELECT * FROM tickets ORDER BY number")
    assert [row["ticket_id"] for row in rows] == TICKETS_OF_BATCH
    assert len({row["number"] for row in rows}) == 5
    assert {(row["status"], row["team"], tuple(row["tags"])) for row in rows} == {("new", "service", ("pump",))}
    assert {row["first_response_due_at"] for row in rows} == {moment("mon 11:00")}
    clocks = await engine.rows("SELECT * FROM clocks WHERE ticket_id = $1 ORDER BY due_at", ONE)
    assert [(row["metric"], row["due_at"]) for row in clocks] == [
        ("first_response", moment("mon 11:00")),
        ("resolution", moment("tue 10:00")),
    ]
    (message,) = await engine.rows("SELECT * FROM messages WHERE ticket_id = $1", ONE)
    assert (message["version"], message["text"], message["public"]) == (1, "message 1", True)
    assert "text" not in json.loads(message["entry"])
    assert await outcomes(engine) == {}  # nobody waits for a message


async def test_published_facts_are_the_stored_ones_with_their_chain_of_causes(engine: EngineUnderTest) -> None:
    await open_one(engine)
    reply = Reply(ticket_id=ONE, actor=AGENT, text="On our way")
    published = await engine.run([engine.record(reply, EARLY, "reply")], now=EARLY)
    history = await engine.history(ONE)
    assert [row["version"] for row in history] == [1, 2, 3, 4]
    for event, row in zip(published, history[1:], strict=True):
        assert (event.topic, event.key, event.id) == (TICKETS.name, str(ONE), f"{ONE}:{row['version']}")
        assert (event.type, json.loads(event.data)) == (row["type"], json.loads(row["data"]))
        assert event.causation_id == row["causation_id"] == "reply"
        assert event.correlation_id == row["correlation_id"] == "first of reply"
        assert event.traceparent is not None


async def test_commands_of_one_ticket_in_one_batch_are_folded_in_order(engine: EngineUnderTest) -> None:
    commands = [
        received(),
        Reply(ticket_id=ONE, actor=AGENT, text="Which pump?"),
        SetStatus(ticket_id=ONE, actor=AGENT, status=Status.PENDING),
        received(number=2, at=EARLY),
        Assign(ticket_id=ONE, actor=AGENT, assignee="li.wei"),
        SetPriority(ticket_id=ONE, actor=AGENT, priority=Priority.URGENT),
        SetStatus(ticket_id=ONE, actor=AGENT, status=Status.SOLVED),
    ]
    await engine.run(asked(engine, *commands), now=EARLY)
    (row,) = await engine.rows("SELECT * FROM tickets")
    assert (row["status"], row["priority"], row["assignee"]) == ("solved", "urgent", "li.wei")
    history = await engine.history(ONE)
    assert [each["version"] for each in history] == list(range(1, len(history) + 1))
    assert row["version"] == len(history)
    assert engine.timers == {}
    assert {each["status"] for each in await engine.rows("SELECT status FROM clocks")} == {"met"}


async def test_the_stored_state_is_the_fold_of_the_stored_facts(engine: EngineUnderTest) -> None:
    await open_one(engine)
    await engine.fire(now=moment("mon 12:00"))
    later = asked(engine, received(number=2, at=moment("mon 12:30")), at=moment("mon 12:30"))
    await engine.run(later, now=moment("mon 12:30"))
    (row,) = await engine.rows("SELECT * FROM tickets")
    folded = None
    for fact in await engine.history(ONE):
        folded = evolve(folded, decode_fact(fact["type"], fact["data"]))
    assert decode_state(row["state"]) == folded
    assert folded is not None
    assert row["version"] == folded.version == 6


async def test_a_batch_tried_again_after_a_rollback_is_identical_but_for_the_burnt_numbers(
    engine: EngineUnderTest,
) -> None:
    records = asked(engine, received(), Reply(ticket_id=ONE, actor=AGENT, text="On our way"))
    first = await engine.abandon(records, now=EARLY)
    assert await engine.rows("SELECT 1 FROM tickets") == []
    again = await engine.run(records, now=EARLY)

    def without_number(data: bytes) -> dict[str, dict[str, object]]:
        content: dict[str, dict[str, object]] = json.loads(data)
        del content["ticket"]["number"]
        return content

    assert [(event.id, event.topic, without_number(event.data)) for event in first] == [
        (event.id, event.topic, without_number(event.data)) for event in again
    ]


async def test_a_batch_may_be_cut_in_two_anywhere_with_the_same_result(engine: EngineUnderTest) -> None:
    commands = [received(), AddNote(ticket_id=ONE, actor=AGENT, text="Old model"), received(number=2, at=EARLY)]
    whole = asked(engine, *commands)
    abandoned = await engine.abandon(whole, now=EARLY)
    parts = [event for cut in (whole[:1], whole[1:]) for event in await engine.run(cut, now=EARLY)]
    assert [(event.id, event.type) for event in parts] == [(event.id, event.type) for event in abandoned]


async def test_the_same_records_delivered_again_change_nothing(engine: EngineUnderTest) -> None:
    records = asked(engine, received(), Reply(ticket_id=ONE, actor=AGENT, text="On our way"))
    await engine.run(records, now=EARLY)
    before = await engine.rows("SELECT * FROM tickets")
    assert await engine.run(records, now=moment("mon 10:20")) == []
    assert await engine.run([*records, *records], now=moment("mon 10:20")) == []
    assert await engine.rows("SELECT * FROM tickets") == before


async def test_a_very_long_conversation_stays_a_small_state_and_none_of_its_messages_counts_twice(
    engine: EngineUnderTest,
) -> None:
    talk = [received(number=number) for number in range(MOST_KEPT_IDS + 50)]
    note = AddNote(ticket_id=ONE, actor=AGENT, text="Old model")
    await engine.run(asked(engine, talk[0], note), now=EARLY)
    await engine.run(asked(engine, *talk, *talk, prefix="other "), now=EARLY)
    (row,) = await engine.rows("SELECT version, state FROM tickets")
    assert row["version"] == len(talk) + 1
    assert len(decode_state(row["state"]).message_ids) == MOST_KEPT_IDS

    await engine.rows("DELETE FROM command_outcomes")  # as a week does
    again = [*asked(engine, talk[0], note), *asked(engine, *talk[:10], prefix="late ")]
    assert await engine.run(again, now=EARLY) == []
    assert await engine.rows("SELECT version, state FROM tickets") == [row]
    assert set((await outcomes(engine)).values()) == {"no-op"}


async def test_a_timer_gives_each_alert_at_its_time_and_sets_the_next_one(engine: EngineUnderTest) -> None:
    await open_one(engine)
    assert engine.timers == {str(ONE): moment("mon 10:30")}
    published = await engine.fire(now=moment("mon 10:30"))
    assert types_of(published) == ["ticket.clock-warned", "alert.sla-warning"]
    fact, alert = published
    assert (fact.time, fact.causation_id) == (moment("mon 10:30"), f"timer:{ONE}:{moment('mon 10:30').isoformat()}")
    assert (alert.topic, alert.id, alert.causation_id) == (ALERTS.name, f"{ONE}:first_response:1:warning:50", fact.id)
    assert json.loads(alert.data)["percent"] == 50
    assert engine.timers == {str(ONE): moment("mon 10:45")}


async def test_after_an_outage_everything_due_is_given_once_and_the_last_timer_goes(engine: EngineUnderTest) -> None:
    await open_one(engine)
    published = await engine.fire(now=moment("fri 12:00"))
    [alert] = [event for event in published if event.topic == ALERTS.name]  # of a ticket one, whatever it missed
    assert alert.id == f"{ONE}:first_response:1:breached:{json.loads(alert.data)['version']}"
    alarms = json.loads(alert.data)["alarms"]
    assert [(alarm["metric"], alarm.get("percent", alarm["kind"])) for alarm in alarms] == [
        (metric, told) for metric in ("first_response", "resolution") for told in (50, 75, 90, "breach")
    ]
    assert engine.timers == {}
    assert {row["status"] for row in await engine.rows("SELECT status FROM clocks")} == {"breached"}
    lateness = engine.registry.get_sample_value("firebreak_alert_lateness_seconds_count")
    assert lateness == 8


async def test_an_escalation_step_is_one_alert_and_one_change_of_the_ticket_however_often_it_is_tried(
    engine: EngineUnderTest,
) -> None:
    step = {
        "name": "to the experts",
        "metric": "first_response",
        "at": "breach+30m",
        "notify": [{"to": "team-leads"}, {"to": "group", "name": "management"}],
        "reassign_team": "experts",
        "raise_priority": True,
    }
    targets = {
        "first_response": {"normal": "1h", "high": "30m", "urgent": "15m"},
        "resolution": {"normal": "1bd", "high": "6h", "urgent": "4h"},
    }
    policy = Policy.model_validate({**STANDARD.model_dump(), "targets": targets, "escalations": [step]})
    experts = Team(name="experts", display_name="Experts", members=("li.wei",), leads=("li.wei",))
    management = Group(name="management", display_name="Management", addresses=("duty@acme.example",))
    await configure(engine.pool, OFFICE, policy, experts, management)
    await open_one(engine)
    await engine.fire(now=moment("mon 11:00"))
    due = moment("mon 11:30")
    assert engine.timers == {str(ONE): due}
    tried = await engine.abandon((), (DueTimer(ORIGIN, str(ONE), due, due),), now=due)  # killed before its commit
    published = await engine.fire(now=due)
    assert [(event.id, event.data) for event in tried] == [(event.id, event.data) for event in published]
    assert types_of(published) == [
        "ticket.escalated",
        "ticket.assigned",
        "ticket.priority-changed",
        "ticket.clock-retargeted",
        "alert.sla-escalated",
    ]
    taken, *changes, alert = published
    assert {event.causation_id for event in changes} == {taken.id}
    assert {event.correlation_id for event in published} == {"open"}
    told = json.loads(alert.data)
    assert (told["ticket"]["team"], told["ticket"]["priority"], told["late_seconds"]) == ("experts", "high", 1800)
    assert [person["email"] for person in told["recipients"]] == ["li.wei@acme.example", "duty@acme.example"]
    (row,) = await engine.rows("SELECT team, priority FROM tickets")
    assert (row["team"], row["priority"]) == ("experts", "high")
    assert "ticket.escalated" not in types_of(await engine.fire(now=moment("fri 12:00")))
    async with engine.pool.acquire() as connection:
        assert [page.differences async for page in check_folds(connection, TicketRange())] == [[]]


async def test_a_reply_that_waited_in_the_log_prevents_the_alarm(engine: EngineUnderTest) -> None:
    await open_one(engine)
    reply = engine.record(Reply(ticket_id=ONE, actor=AGENT, text="On our way"), moment("mon 10:59"), "reply")
    await engine.run([reply], now=moment("mon 12:00"))
    published = await engine.fire(now=moment("mon 12:00"))
    assert "alert.sla-breached" not in types_of(published)


async def test_a_timer_of_an_unknown_ticket_is_removed(engine: EngineUnderTest) -> None:
    engine.timers = {str(ONE): TEN, "no ticket id": TEN}
    assert await engine.fire(now=EARLY) == []
    assert engine.timers == {}


async def test_every_command_gets_an_outcome_that_says_what_became_of_it(engine: EngineUnderTest) -> None:
    await open_one(engine)
    solve = SetStatus(ticket_id=ONE, actor=AGENT, status=Status.SOLVED)
    records = asked(
        engine,
        solve,
        solve,
        SetStatus(ticket_id=ONE, actor=AGENT, status=Status.NEW),
        SetPriority(ticket_id=ONE, actor=AGENT, priority=Priority.HIGH, expected_version=1),
        SetPriority(ticket_id=ONE, actor=AGENT, priority=Priority.HIGH, not_after=TEN),
        SetPriority(ticket_id=TICKETS_OF_BATCH[1], actor=AGENT, priority=Priority.HIGH),
    )
    await engine.run(records, now=EARLY)
    assert await outcomes(engine) == {
        "c1": "applied",
        "c2": "no-op",
        "c3": "rejected",
        "c4": "conflict",
        "c5": "expired",
        "c6": "rejected",
    }
    rows = {row["command_id"]: row for row in await engine.rows("SELECT * FROM command_outcomes")}
    assert rows["c1"]["version"] == 4
    assert rows["c1"]["content_hash"] == solve.fingerprint()
    assert rows["c6"]["reason"] == "there is no such ticket"


async def test_the_first_outcome_of_a_command_id_stands(engine: EngineUnderTest) -> None:
    await open_one(engine)
    note = AddNote(ticket_id=ONE, actor=AGENT, text="Old model")
    other = AddNote(ticket_id=ONE, actor=AGENT, text="Another wish under the same key")
    same_id = [engine.record(command, EARLY, "key") for command in (note, other)]
    await engine.run(same_id, now=EARLY)
    await engine.run(same_id[1:], now=EARLY)
    (row,) = await engine.rows("SELECT * FROM command_outcomes")
    assert row["content_hash"] == note.fingerprint()
    assert len(await engine.history(ONE)) == 2


async def test_a_message_for_a_closed_ticket_is_forwarded_and_opens_a_linked_follow_up(
    engine: EngineUnderTest,
) -> None:
    close = SetStatus(ticket_id=ONE, actor=AGENT, status=Status.CLOSED)
    await engine.run(asked(engine, received(), close), now=EARLY)
    published = await engine.run(asked(engine, received(number=2, at=EARLY), prefix="m"), now=EARLY)
    assert types_of(published) == ["ticket.successor-named", "command.receive-message"]
    forwarded = published[1]
    assert (forwarded.topic, forwarded.key) == (COMMANDS.name, str(follow_up_id(ONE)))
    opened = await engine.run([as_record(forwarded, EARLY)], now=EARLY)
    assert types_of(opened) == ["ticket.opened"]
    assert json.loads(opened[0].data)["previous_ticket_id"] == str(ONE)
    (row,) = await engine.rows("SELECT successor_id FROM tickets WHERE ticket_id = $1", ONE)
    assert row["successor_id"] == follow_up_id(ONE)
    again = await engine.run(asked(engine, received(number=2, at=EARLY), prefix="m"), now=EARLY)
    assert [(event.id, event.type) for event in again] == [(forwarded.id, forwarded.type)]
    assert await engine.run([as_record(again[0], EARLY)], now=EARLY) == []


async def test_a_message_that_goes_round_in_a_ring_is_poison(engine: EngineUnderTest) -> None:
    close = SetStatus(ticket_id=ONE, actor=AGENT, status=Status.CLOSED)
    await engine.run(asked(engine, received(), close), now=EARLY)
    tired = received(number=2, at=EARLY).model_copy(update={"hops": 50})
    with pytest.raises(PoisonRecord, match="forwarded 50 times"):
        await engine.run(asked(engine, tired, prefix="m"), now=EARLY)


async def test_records_that_are_no_command_are_told_apart(engine: EngineUnderTest) -> None:
    good = received()
    key, kind = str(ONE), good.event_type
    cases: list[tuple[str, str, bytes, type[Exception], str]] = [
        (key, "firebreak.command.not-known-yet.v1", b"{}", UnknownType, "not-known-yet"),
        (key, "org.example.other", b"{}", PoisonRecord, "no command"),
        (key, kind, b"{}", PoisonRecord, "ticket_id"),
        (key, kind, b"not json", PoisonRecord, "JSON"),
        (str(TICKETS_OF_BATCH[1]), kind, good.encode(), PoisonRecord, "key"),
    ]
    for record_key, event_type, data, error, words in cases:
        with pytest.raises(error, match=words):
            await engine.run([engine.raw_record(record_key, event_type, data, TEN, "x")], now=TEN)


async def test_a_dead_letter_gives_the_waiting_caller_the_outcome_failed(engine: EngineUnderTest) -> None:
    broken = engine.raw_record(str(ONE), SetStatus.event_type, b"{}", TEN, "broken")
    message = engine.raw_record(str(ONE), ReceiveMessage.event_type, b"{}", TEN, "message")
    async with engine.pool.acquire() as connection, connection.transaction():
        await report_dead_letter(connection, broken, "ticket_id: missing")
        await report_dead_letter(connection, message, "ticket_id: missing")
    (row,) = await engine.rows("SELECT * FROM command_outcomes")
    assert (row["command_id"], row["outcome"], row["reason"]) == ("broken", "failed", "ticket_id: missing")


async def test_a_second_writer_is_noticed_and_nothing_is_written(engine: EngineUnderTest) -> None:
    await open_one(engine)
    note = asked(engine, AddNote(ticket_id=ONE, actor=AGENT, text="Old model"))
    await engine.rows("UPDATE tickets SET version = 9 RETURNING 1")
    with pytest.raises(SecondWriter):
        await engine.run(note, now=EARLY)
    await engine.rows("UPDATE tickets SET version = 1 RETURNING 1")
    await engine.rows(
        "INSERT INTO ticket_events SELECT ticket_id, 2, 'x', type, at, at, '', '', data FROM ticket_events RETURNING 1"
    )
    with pytest.raises(asyncpg.UniqueViolationError, match="pk_ticket_events"):
        await engine.run(note, now=EARLY)
    assert await outcomes(engine) == {}


async def test_a_ticket_keeps_the_policy_version_it_was_matched_with_even_across_a_restart(
    engine: EngineUnderTest,
) -> None:
    await open_one(engine)
    slower = STANDARD.model_copy(update={"warnings": (60,)})
    await configure(engine.pool, OFFICE, slower)
    restarted = EngineUnderTest(engine.pool)
    restarted.timers = engine.timers
    await restarted.run([restarted.record(received(TICKETS_OF_BATCH[1]), TEN, "new")], now=TEN)
    published = await restarted.fire(now=moment("mon 11:00"))
    alerts = {event.key: json.loads(event.data)["alarms"] for event in published if event.topic == ALERTS.name}
    assert {key: [alarm.get("percent") for alarm in alarms] for key, alarms in alerts.items()} == {
        str(ONE): [50, 75, 90, None],
        str(TICKETS_OF_BATCH[1]): [60, None],
    }


async def test_a_running_clock_goes_on_although_its_policy_and_calendar_were_archived(
    engine: EngineUnderTest,
) -> None:
    await open_one(engine)
    await configure(engine.pool)
    restarted = EngineUnderTest(engine.pool)
    restarted.timers = engine.timers
    assert types_of(await restarted.fire(now=moment("mon 10:45"))).count("ticket.clock-warned") == 2
    await restarted.run([restarted.record(received(TICKETS_OF_BATCH[1]), TEN, "new")], now=EARLY)
    (fact,) = await restarted.history(TICKETS_OF_BATCH[1])
    assert json.loads(fact["data"])["no_clock_reason"] == "no policy matches this ticket"


async def test_a_calendar_that_no_engine_can_read_any_more_stops_no_partition(engine: EngineUnderTest) -> None:
    await open_one(engine)
    calendar = "kind = 'calendar' AND name = 'office'"
    unreadable = f"""
        INSERT INTO configuration_documents
        SELECT kind, name, version + 1, archived, body || '{{"zone": "Mars/Olympus"}}', applied_at, applied_by, head
        FROM configuration_documents WHERE {calendar}
        """
    await engine.rows(unreadable)
    await engine.rows("UPDATE configuration_head SET version = version + 1")
    second = engine.record(received(TICKETS_OF_BATCH[1]), TEN, "second")
    urgent = SetPriority(ticket_id=ONE, actor=AGENT, priority=Priority.URGENT)
    await engine.run([second, engine.record(urgent, EARLY, "urgent")], now=EARLY)
    due = "SELECT ticket_id, due_at FROM clocks WHERE metric = 'first_response' ORDER BY due_at DESC"
    by_last_usable = [(row["ticket_id"], row["due_at"]) for row in await engine.rows(due)]
    assert by_last_usable[0] == (TICKETS_OF_BATCH[1], moment("mon 11:00"))

    await engine.rows(f"DELETE FROM configuration_documents WHERE {calendar}")
    await engine.rows("UPDATE configuration_head SET version = version + 1")
    third = engine.record(received(TICKETS_OF_BATCH[2]), TEN, "third")
    pending = SetStatus(ticket_id=ONE, actor=AGENT, status=Status.PENDING)
    await engine.run([third, engine.record(pending, EARLY, "pending")], now=EARLY)
    await engine.fire(now=moment("mon 12:00"))
    assert [(row["ticket_id"], row["due_at"]) for row in await engine.rows(due)] == by_last_usable
    assert {
        row["status"] for row in await engine.rows("SELECT status FROM clocks WHERE metric = 'first_response'")
    } == {"breached"}
    (state,) = await engine.rows("SELECT state FROM tickets WHERE ticket_id = $1", TICKETS_OF_BATCH[2])
    assert "calendar office, which cannot be used: it does not exist" in decode_state(state["state"]).no_clock_reason


async def test_a_business_day_is_that_of_the_archived_calendar_whoever_asks_first(engine: EngineUnderTest) -> None:
    await open_one(engine)
    other = OFFICE.model_copy(update={"name": "other"})
    newer = STANDARD.model_copy(update={"calendar": "other", "effective_from": moment("mon 11:00")})
    await configure(engine.pool, other, newer)
    later = EngineUnderTest(engine.pool)
    spam = MarkSpam(ticket_id=ONE, actor=AGENT, spam=True)
    await later.run(asked(later, spam, spam.model_copy(update={"spam": False})), now=EARLY)
    [row] = await later.rows("SELECT * FROM clocks WHERE metric = 'resolution' ORDER BY cycle DESC LIMIT 1")
    assert (row["policy_version"], row["target_seconds"]) == (1, 8 * 3600)

    await configure(engine.pool, other, newer.model_copy(update={"effective_from": None}))
    async with engine.pool.acquire() as connection:
        book = PolicyBook()
        await book.current(connection)
        held = (await book.including(connection, {("standard", 1)}, ())).past["standard", 1]  # of no running clock
    assert held.target(Metric.RESOLUTION, Priority.NORMAL) == 8 * 3600


async def test_a_batch_of_five_hundred_takes_no_more_statements_than_a_batch_of_five(engine: EngineUnderTest) -> None:
    counts = []
    await open_one(engine)  # compiles the policies
    for size in (2, 5, 500):  # in the first the driver asks for types
        ids = [uuid5(CUSTOMER_ID, f"{size} {number}") for number in range(size)]
        records = [engine.record(received(ticket_id), TEN, str(ticket_id)) for ticket_id in ids]
        records += asked(engine, *[Reply(ticket_id=ONE, actor=AGENT, text="Soon")] * size, prefix=f"{size} ")
        counts.append(await engine.count_statements(records, now=EARLY))
    assert counts[1] == counts[2] > 0


async def test_outcomes_are_forgotten_after_a_week(engine: EngineUnderTest) -> None:
    await open_one(engine)
    await engine.run(asked(engine, *[AddNote(ticket_id=ONE, actor=AGENT, text="Old model")] * 3), now=EARLY)
    await engine.rows(
        "UPDATE command_outcomes SET decided_at = now() - interval '6 days' WHERE command_id = 'c2' RETURNING 1"
    )
    assert await forget(engine.pool) == 2
    assert list(await outcomes(engine)) == ["c2"]
