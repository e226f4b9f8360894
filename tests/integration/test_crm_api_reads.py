"""What crm-api tells of a ticket: its facts, its conversation and the story of its clocks, page by page."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event

from crm_api.calendar_book import CalendarBook
from crm_api.exchange_requests import LinkTickets, Merge
from crm_api.explain_sla import TRANSITIONS, explain_sla
from crm_api.other_ticket import need_other
from service_kit.problems import ProblemError
from tests.integration.crm_api_around import add_key, add_ticket, caller, execute, running_api
from tests.support.servers import SharedKafka
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID
from ticket_contracts.catalogue import TICKET_EVENTS
from ticket_contracts.commands import Routing
from ticket_contracts.exchanges import MOST_RELATED
from ticket_contracts.messages import Attachment, Party, RemoteFile, StoredObject
from ticket_contracts.tickets import (
    ClockFact,
    ClockState,
    ClockWarned,
    MessageAdded,
    MessageEntry,
    MessageRevised,
    TicketFact,
    TicketOpened,
    TicketSummary,
)
from ticket_contracts.vocabulary import (
    Channel,
    ClockStatus,
    FileState,
    IdentityKind,
    LinkKind,
    MessageKind,
    Metric,
    Status,
)
from ticket_store.sessions import open_engine
from ticket_store.tables.messages import NEW_MESSAGE_COLUMNS
from ticket_store.tables.ticket_events import NEW_EVENT_COLUMNS

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CLOCK_FACTS = [payload for payload in TICKET_EVENTS.values() if issubclass(payload, ClockFact)]


class History:
    """Writes a ticket's facts and messages as the engine stores them."""

    def __init__(self, url: str, ticket_id: UUID) -> None:
        self.url = url
        self.ticket_id = ticket_id
        self.version = 0

    def common(self) -> dict[str, Any]:
        self.version += 1
        at = NINE + timedelta(minutes=self.version)
        return {"ticket_id": self.ticket_id, "version": self.version, "at": at, "actor": AGENT, "ticket": SUMMARY}

    def opened(self, *clocks: ClockState, reason: str = "") -> TicketOpened:
        return TicketOpened(
            **self.common(),
            routing=Routing(team="service"),
            message=entry("水泵"),
            clocks=clocks,
            no_clock_reason=reason,
        )

    async def write(self, facts: Sequence[TicketFact]) -> None:
        rows = [
            (
                f.ticket_id,
                f.version,
                f"e{f.version}",
                f.event_type,
                f.at,
                f.at,
                f"c{f.version}",
                None,
                f.encode().decode(),
            )
            for f in facts
        ]
        told = [fact for fact in facts if isinstance(fact, TicketOpened | MessageAdded | MessageRevised)]
        connection = await asyncpg.connect(self.url)
        try:
            await connection.copy_records_to_table("ticket_events", records=rows, columns=NEW_EVENT_COLUMNS)
            await connection.copy_records_to_table(
                "messages", records=[message_row(fact) for fact in told], columns=NEW_MESSAGE_COLUMNS
            )
        finally:
            await connection.close()


SUMMARY = TicketSummary(
    number=1001,
    brand="acme",
    channel=Channel.EMAIL,
    subject="水泵 leaks",
    contact_id=CUSTOMER_ID,
    contact=Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
    status=Status.NEW,
    team="service",
    opened_at=NINE,
)


def entry(text: str, **changes: Any) -> MessageEntry:
    return MessageEntry(
        **{
            "message_id": uuid4(),
            "author": AGENT,
            "public": True,
            "at": NINE,
            "received_at": NINE,
            "text": text,
            **changes,
        }
    )


def message_row(fact: TicketOpened | MessageAdded | MessageRevised) -> tuple[object, ...]:
    said = fact.message
    rest = said.model_dump_json(exclude={"text"}, exclude_none=True)
    author = (said.author.kind, said.author.id)
    return (fact.ticket_id, fact.version, said.message_id, *author, said.public, said.at, said.text, rest)


def clock(**changes: Any) -> ClockState:
    values = {
        "metric": Metric.FIRST_RESPONSE,
        "status": ClockStatus.RUNNING,
        "policy": "standard",
        "policy_version": 1,
        "calendar": "office",
        "target_seconds": 3600,
        "started_at": NINE,
        "due_at": NINE + timedelta(hours=1),
    }
    return ClockState.model_validate({**values, **changes})


@pytest_asyncio.fixture
async def history(database_url: str) -> History:
    return History(database_url, await add_ticket(database_url))


@pytest_asyncio.fixture
async def client(database_url: str, kafka: SharedKafka) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_api(database_url, kafka.bootstrap) as address,
        caller(address, await add_key(database_url)) as client,
    ):
        yield client


async def test_the_story_tells_every_kind_of_step_in_both_languages(
    history: History, client: httpx.AsyncClient
) -> None:
    opened = history.opened(clock(), clock(metric=Metric.RESOLUTION))
    second = clock(metric=Metric.NEXT_RESPONSE, cycle=2, started_at=NINE + timedelta(hours=2))
    steps: list[ClockFact] = [
        payload.model_validate(
            {**history.common(), "clock": second, "cause": f"cause of {payload.event_type}", "step": "tell the lead"}
        )
        for payload in sorted(CLOCK_FACTS, key=lambda payload: list(TRANSITIONS).index(payload.event_type))
    ]
    await history.write([opened, *steps])
    assert {payload.event_type for payload in CLOCK_FACTS} == set(TRANSITIONS)
    for language in ("en", "zh"):
        answer = await client.get(f"/tickets/{history.ticket_id}/sla", headers={"Accept-Language": language})
        assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "Accept-Language")
        told = answer.json()
        assert [(each["metric"], each["reason"]) for each in told["absent"]] == [("update", "no-customer-message")]
        clocks = {(each["metric"], each["cycle"]): each for each in told["clocks"]}
        [held] = clocks["first_response", 1]["held"]
        assert (held["team"], held["until"], held["business_seconds"]) == ("service", None, None)
        assert set(clocks) == {("first_response", 1), ("resolution", 1), ("next_response", 2)}
        assert [step["transition"] for step in clocks["first_response", 1]["story"]] == ["started"]
        story = clocks["next_response", 2]["story"]
        assert [step["transition"] for step in story] == list(TRANSITIONS.values())
        assert [step["cause"] for step in story] == [f"cause of {step.event_type}" for step in steps]
        assert all(bool(re.search("[一-鿿]", step["words"])) is (language == "zh") for step in story)


async def test_the_story_of_a_long_life_is_read_in_five_statements(database_url: str, history: History) -> None:
    facts: list[TicketFact] = [history.opened(clock())]
    for _ in range(300):
        facts.append(MessageAdded(**history.common(), message=entry("字" * 2000)))
        facts.append(ClockWarned(**history.common(), clock=clock(warned_percent=50), cause="timer"))
    await history.write(facts)
    statements: list[str] = []
    async with open_engine(database_url, application_name="test", max_size=1) as engine, engine.connect() as connection:
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
        view = await explain_sla(connection, CalendarBook(), history.ticket_id, 1, "en")
    assert len(view.clocks[0].story) == 301
    assert len(statements) <= 5
    assert sum("FROM ticket_events" in statement for statement in statements) == 1


async def test_a_ticket_without_a_clock_says_why(history: History, client: httpx.AsyncClient) -> None:
    await history.write([history.opened(reason="no policy matches")])
    told = (await client.get(f"/tickets/{history.ticket_id}/sla")).json()
    assert (told["clocks"], told["no_clock_reason"]) == ([], "no policy matches")
    assert {each["metric"] for each in told["absent"]} == {*Metric}


async def test_a_private_note_a_quotation_and_a_revision_are_told_apart(
    history: History, client: httpx.AsyncClient
) -> None:
    first = history.opened()
    note = MessageAdded(**history.common(), message=entry("internal", public=False))
    quoted = MessageAdded(**history.common(), message=entry("new words", quoted_text="> old words"))
    gone = MessageRevised(
        **history.common(), message=entry("", kind=MessageKind.DELETED, provider_id="C1/1.0", channel=Channel.CHAT)
    )
    await history.write([first, note, quoted, gone])
    told = (await client.get(f"/tickets/{history.ticket_id}/messages")).json()["items"]
    assert [message["public"] for message in told] == [True, False, True, True]
    assert told[2]["quoted_text"] == "> old words"
    assert [(message["kind"], message["provider_id"]) for message in told][2:] == [
        ("created", ""),
        ("deleted", "C1/1.0"),
    ]


@pytest.mark.parametrize("part", ["timeline", "messages"])
@pytest.mark.parametrize("limit", [1, 7, 200])
async def test_pages_hold_everything_once_and_in_order(
    history: History, client: httpx.AsyncClient, part: str, limit: int
) -> None:
    facts: list[TicketFact] = [history.opened()]
    facts += [MessageAdded(**history.common(), message=entry(f"message {number}")) for number in range(20)]
    await history.write(facts)
    seen, cursor = [], ""
    while cursor is not None:
        page = (
            await client.get(f"/tickets/{history.ticket_id}/{part}", params={"limit": limit, "cursor": cursor})
        ).json()
        assert 1 <= len(page["items"]) <= limit
        seen += [item["version"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == list(range(1, 22))


@pytest.mark.parametrize("part", ["timeline", "messages"])
async def test_a_page_of_long_texts_stays_small_enough_to_be_sent(
    history: History, client: httpx.AsyncClient, part: str
) -> None:
    facts: list[TicketFact] = [history.opened()]
    facts += [MessageAdded(**history.common(), message=entry("字" * 60_000)) for _ in range(60)]
    await history.write(facts)
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        answer = await client.get(f"/tickets/{history.ticket_id}/{part}", params={"limit": 200, "cursor": cursor})
        assert len(answer.content) < 5 * 1024 * 1024
        seen += [item["version"] for item in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
        pages += 1
    assert seen == list(range(1, 62))
    assert pages > 1


async def test_what_is_told_of_a_file_is_seen_where_its_message_was_split_to(
    database_url: str, client: httpx.AsyncClient
) -> None:
    source, other = [History(database_url, await add_ticket(database_url)) for _ in range(2)]
    content = StoredObject(key="ab" * 32, size=4, media_type="text/plain")
    sent = entry("see the bill", attachments=(Attachment(name="bill.txt", content=content, state=FileState.PENDING),))
    verdict = RemoteFile(number=0, name="bill.txt", attachment_key=content.key, state=FileState.STORED)
    told = entry("", kind=MessageKind.ATTACHMENT, files=(verdict,))
    opened = source.opened()
    await source.write([opened, MessageAdded(**source.common(), message=told)])
    await other.write([other.opened().model_copy(update={"message": sent})])
    read = f"/tickets/{other.ticket_id}/messages"
    assert (await client.get(read)).json()["items"][0]["attachments"][0]["state"] == "pending"

    link = "UPDATE tickets SET state = jsonb_set(state, '{links}', $2::text::jsonb) WHERE ticket_id = $1"
    await execute(database_url, link, other.ticket_id, f'[["{source.ticket_id}", "problem"]]')
    assert (await client.get(read)).json()["items"][0]["attachments"][0]["state"] == "pending"
    await execute(database_url, link, other.ticket_id, f'[["{source.ticket_id}", "related"]]')
    [attachment] = (await client.get(read)).json()["items"][0]["attachments"]
    assert (attachment["state"], attachment["content"]["key"]) == ("stored", content.key)


async def test_a_link_to_a_ticket_without_room_for_it_is_refused_before_the_first_of_the_two_is_asked(
    database_url: str,
) -> None:
    one, full = await add_ticket(database_url), await add_ticket(database_url)
    fill = "UPDATE tickets SET state = jsonb_set(state, '{links}', $2) WHERE ticket_id = $1"
    links = [[str(uuid4()), "related", "2026-11-23T09:00:00Z"] for _ in range(MOST_RELATED)]
    link, merge = (
        LinkTickets(type="link", other_id=full, kind=LinkKind.PROBLEM),
        Merge(type="merge", target_id=full),
    )
    async with open_engine(database_url, application_name="test") as engine, engine.connect() as connection:
        await need_other(connection, one, link)
        await execute(database_url, fill, full, json.dumps(links))
        with pytest.raises(ProblemError) as refused:
            await need_other(connection, one, link)
        await need_other(connection, one, merge)
        await execute(database_url, fill, full, json.dumps([*links[1:], [str(one), "incident"]]))
        await need_other(connection, one, link)  # it stands there already
    problem = refused.value.problem
    assert (problem.status, problem.type) == (409, "/problems/command-rejected")
    assert problem.detail == "other_id: that ticket has 1000 links already; remove some of it first"
