"""crm-api before a real engine: who may do what, what a command's answer means, and what strangers send."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from service_kit.api_keys import generate
from service_kit.supervisor import Supervisor
from sla_engine.settings import SlaEngineSettings
from sla_engine.wiring import wiring as engine_wiring
from tests.integration.crm_api_around import add_key, caller, execute, revoke, running_api
from tests.integration.test_router_receipts import ANSWER, receipt
from tests.support.kept_part import wait_until
from tests.support.servers import SharedKafka
from tests.support.sla_engine import OFFICE, STANDARD, configure
from tests.unit.sla_engine.case import CUSTOMER_ID, MACHINE, a_message
from ticket_contracts.commands import ReceiveMessage, Routing
from ticket_contracts.envelope import Event
from ticket_contracts.topics import COMMANDS
from ticket_contracts.vocabulary import DeliveryState, Priority
from ticket_router.record_receipts import record_receipts
from ticket_store.sessions import open_pool
from ticket_stream.edge_publisher import open_edge_publisher

PATIENCE = 30.0  # seconds; a command takes some 50 ms
NOTE = {"type": "note", "text": "客户很着急 😟"}
TOLD = "firebreak.ticket.message-added.v1"
NEW = {
    "brand": "acme",
    "channel": "phone",
    "contact": {"phone": "+8613800000000", "name": "王女士"},
    "subject": "水泵漏水",
    "text": "She will send a picture",
    "public": False,
    "team": "service",
    "priority": "normal",
    "tags": ["vip"],
}

NEVER = {"delivered_at": None, "read_at": None, "failed_at": None, "reason": ""}


class Around:
    """One installation: API, engine, topics and database. `client` has a key for everything."""

    def __init__(self, kafka: SharedKafka, prefix: str, url: str, address: str, client: httpx.AsyncClient) -> None:
        self._kafka, self._prefix = kafka, prefix
        self.url = url
        self.address = address
        self.client = client

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[None]:
        named = {"port": 0, "kafka": self._kafka.bootstrap, "topic_prefix": self._prefix, "postgres": self.url}
        supervisor = Supervisor()
        async with engine_wiring(SlaEngineSettings.model_validate(named), supervisor):
            yield
        assert supervisor.failure is None

    async def new_ticket(self) -> str:
        """Have a customer's message become a ticket."""
        ticket_id = uuid4()
        routing = Routing(team="service", priority=Priority.NORMAL)
        message = a_message(datetime.now(UTC))
        command = ReceiveMessage(
            ticket_id=ticket_id, actor=MACHINE, message=message, contact_id=CUSTOMER_ID, routing=routing
        )
        event = Event(
            id=str(uuid4()), source="/test", type=command.event_type, time=datetime.now(UTC), data=command.encode()
        )
        async with open_edge_publisher(self._kafka.bootstrap, self._prefix) as publisher:
            await publisher.publish(COMMANDS, str(ticket_id), event)

        async def is_there() -> bool:
            return (await self.client.get(f"/tickets/{ticket_id}")).status_code == 200

        await wait_until(is_there, PATIENCE, "the ticket")
        return str(ticket_id)

    async def ask(self, ticket_id: str, command: object = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(f"/tickets/{ticket_id}/commands", json=command or NOTE, headers=named)

    async def open(self, body: object = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post("/tickets", json=body or NEW, headers=named)

    async def deliveries(self, ticket_id: str) -> list[Any]:
        items = (await self.client.get(f"/tickets/{ticket_id}/messages")).json()["items"]
        return [item["delivery"] for item in items if item["author"]["kind"] == "agent"]

    async def notes(self, ticket_id: str) -> list[str]:
        items = (await self.client.get(f"/tickets/{ticket_id}/messages")).json()["items"]
        return [item["text"] for item in items if not item["public"]]


@pytest_asyncio.fixture
async def around(kafka: SharedKafka, topics: str, database_url: str) -> AsyncIterator[Around]:
    async with open_pool(database_url, application_name="test") as pool:
        await configure(pool, OFFICE, STANDARD)
    key = await add_key(database_url)
    async with (
        running_api(database_url, kafka.bootstrap, topics) as address,
        caller(address, key) as client,
    ):
        yield Around(kafka, topics, database_url, address, client)


@pytest_asyncio.fixture
async def ticket(around: Around) -> AsyncIterator[str]:
    """A ticket, and the engine running."""
    async with around.engine():
        yield await around.new_ticket()


def kind(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["type"]


async def test_without_an_engine_a_command_is_202_and_its_outcome_stands_later_where_it_said(around: Around) -> None:
    async with around.engine():
        ticket_id = await around.new_ticket()
    taken, opened = await asyncio.gather(
        around.ask(ticket_id, Idempotency_Key="once"), around.open(Idempotency_Key="a ticket")
    )
    assert (taken.status_code, taken.json()["outcome"]) == (202, "pending")
    assert (opened.status_code, opened.headers["location"]) == (202, opened.json()["url"])
    url = taken.headers["location"].removeprefix("/v1")
    assert kind(await around.client.get(url)) == (404, "/problems/no-such-command")
    async with around.engine():
        repeated = await around.ask(ticket_id, Idempotency_Key="once")
        assert (repeated.status_code, repeated.json()["outcome"]) == (200, "applied")
        decided = (await around.client.get(url)).json()
        again = await around.open(Idempotency_Key="a ticket")
    assert (decided["outcome"], decided["version"]) == ("applied", repeated.json()["version"])
    assert (again.status_code, again.json()["ticket_id"]) == (201, opened.json()["ticket_id"])
    assert await around.notes(ticket_id) == [NOTE["text"]]


async def test_the_outcome_is_read_back_at_once(around: Around, ticket: str) -> None:
    for status in ("open", "pending", "solved"):
        answer = await around.ask(ticket, {"type": "set-status", "status": status})
        assert answer.status_code == 200, answer.text
        read = await around.client.get(f"/tickets/{ticket}")
        assert (read.json()["status"], read.headers["etag"]) == (status, answer.headers["etag"])


async def test_the_same_key_many_times_at_once_has_one_effect(around: Around, ticket: str) -> None:
    answers = await asyncio.gather(*(around.ask(ticket, Idempotency_Key="same") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert await around.notes(ticket) == [NOTE["text"]]


async def test_an_idempotency_key_belongs_to_the_api_key_that_sent_it(around: Around, ticket: str) -> None:
    assert (await around.ask(ticket, Idempotency_Key="1")).status_code == 200
    async with caller(around.address, await add_key(around.url)) as other:
        answer = await other.post(f"/tickets/{ticket}/commands", json=NOTE, headers={"Idempotency-Key": "1"})
    assert answer.json()["outcome"] == "applied"
    assert len(await around.notes(ticket)) == 2


async def test_an_idempotency_key_stands_for_one_body_one_ticket_and_one_version(around: Around, ticket: str) -> None:
    assert (await around.ask(ticket, Idempotency_Key="1")).status_code == 200
    other = await around.new_ticket()
    reused = (422, "/problems/idempotency-key-reused")
    assert kind(await around.ask(ticket, {**NOTE, "type": "reply"}, Idempotency_Key="1")) == reused
    assert kind(await around.ask(other, Idempotency_Key="1")) == reused
    assert kind(await around.ask(ticket, Idempotency_Key="1", If_Match='"1"')) == reused
    assert (len(await around.notes(ticket)), await around.notes(other)) == (1, [])


async def test_a_lost_race_is_412_with_the_version_that_won(around: Around, ticket: str) -> None:
    version = (await around.client.get(f"/tickets/{ticket}")).headers["etag"]
    answers = await asyncio.gather(*(around.ask(ticket, If_Match=version) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]
    [won] = [answer.headers["etag"] for answer in answers if answer.status_code == 200]
    assert {answer.headers["etag"] for answer in answers} == {won}
    assert (await around.ask(ticket, If_Match=won)).status_code == 200


async def test_what_a_closed_ticket_does_not_allow_is_409_with_the_reason(around: Around, ticket: str) -> None:
    await around.ask(ticket, {"type": "set-status", "status": "closed"})
    refused = await around.ask(ticket, {"type": "reply", "text": "Too late"})
    assert kind(refused) == (409, "/problems/command-rejected")
    assert refused.json()["detail"]


async def test_the_longest_text_in_any_script_becomes_a_message(around: Around, ticket: str) -> None:
    text = "😟" * 60_000
    assert (await around.ask(ticket, {"type": "note", "text": text})).json()["outcome"] == "applied"
    assert await around.notes(ticket) == [text]


async def test_an_answer_is_shown_with_what_became_of_it(around: Around, ticket: str) -> None:
    arrived: dict[str, Any] = {**NEVER, "state": "delivered", "delivered_at": "2026-11-23T12:00:02Z"}
    async with open_pool(around.url, application_name="test") as pool, pool.acquire() as router:
        await record_receipts(router, [receipt(DeliveryState.DELIVERED, 2)])  # faster than who records the answer
        for answer in ({"text": "It is on its way", "provider_id": ANSWER}, {"text": "And by mail"}):
            assert (await around.ask(ticket, {"type": "reply", **answer})).json()["outcome"] == "applied"
        assert await around.deliveries(ticket) == [arrived, None]
        version = (await around.client.get(f"/tickets/{ticket}")).headers["etag"]
        await record_receipts(router, [receipt(DeliveryState.READ, 9)])
    was_read = {**arrived, "state": "read", "read_at": "2026-11-23T12:00:09Z"}
    assert await around.deliveries(ticket) == [was_read, None]
    assert (await around.client.get(f"/tickets/{ticket}")).headers["etag"] == version


@pytest.mark.parametrize(
    ("scopes", "reading", "writing"), [(["read"], 200, 403), (["write"], 403, 202), ([], 403, 403)], ids=str
)
async def test_a_key_does_what_its_scopes_say(around: Around, scopes: list[str], reading: int, writing: int) -> None:
    async with around.engine():
        ticket_id = await around.new_ticket()
    async with caller(around.address, await add_key(around.url, scopes)) as client:
        routes = [f"/tickets/{ticket_id}{part}" for part in ("", "/timeline", "/messages", "/sla")]
        assert {(await client.get(path)).status_code for path in ("/tickets", *routes)} == {reading}
        assert (await client.post(f"/tickets/{ticket_id}/commands", json=NOTE)).status_code == writing


async def test_nobody_gets_in_without_a_key_that_is_known_and_not_revoked(around: Around) -> None:
    revoked = await add_key(around.url)
    await revoke(around.url, revoked)
    good = around.client.headers["authorization"]
    bad = [
        "",
        "Bearer",
        f"Basic {revoked}",
        f"Bearer {revoked}",
        f"Bearer {generate()}",
        good[:-1],
        f"{good}x",
    ]
    paths = ["/tickets", f"/tickets/{uuid4()}", f"/tickets/{uuid4()}/messages", f"/commands/{uuid4()}"]
    async with httpx.AsyncClient(base_url=around.address, trust_env=False) as stranger:
        for header in bad:
            for path in paths:
                answer = await stranger.get(path, headers={"Authorization": header} if header else {})
                assert kind(answer) == (401, "/problems/unauthenticated")
                assert revoked not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (rb'{"type":"note","text":"\ud800"}', 422),
        (rb'{"type":"note","text":"a\u0000b"}', 422),
        (rb'{"type":"note","text":"a","\ud800":1}', 422),
        (rb'{"type":"\ud800"}', 422),
        (b'{"type":"note","text":' + b"[" * 900 + b"]" * 900 + b"}", 422),
        (b"[" * 100_000, 400),
        (b'{"type":' + b"9" * 100_000 + b"}", 400),
        (b'{"type":"\xff"}', 400),
        (b'{"type":"note"', 400),
        (b'{"type":NaN}', 422),
        (b"null", 422),
        (b"", 422),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else str(value),
)
async def test_a_hostile_body_is_the_senders_fault_and_is_not_repeated(
    around: Around, body: bytes, status: int
) -> None:
    answer = await around.client.post(
        f"/tickets/{UUID(int=1)}/commands", content=body, headers={"Content-Type": "application/json"}
    )
    expected = "/problems/unreadable-request" if status == 400 else "/problems/invalid-request"
    assert kind(answer) == (status, expected)


async def test_a_kind_that_does_not_exist_is_named_by_its_field_and_not_repeated(around: Around) -> None:
    answer = await around.ask(str(uuid4()), {"type": "<script>hunter2"})
    [error] = answer.json()["errors"]
    assert error["field"] == "body.type"
    assert "'set-status'" in error["fix"]
    assert "hunter2" not in answer.text


async def test_a_body_far_too_large_is_told_so_even_while_it_is_still_written(around: Around) -> None:
    answer = await around.ask(str(uuid4()), {"type": "note", "text": "x" * 1_000_000})
    assert kind(answer) == (413, "/problems/too-large")


async def test_no_answer_follows_the_host_header(around: Around) -> None:
    answer = await around.client.get("/tickets/", headers={"Host": "evil.example"})
    assert kind(answer) == (404, "about:blank")
    assert "evil" not in json.dumps(dict(answer.headers)) + answer.text


async def test_what_people_wrote_stays_out_of_caches(around: Around, ticket: str) -> None:
    for path in (f"/tickets/{ticket}", f"/tickets/{ticket}/messages", "/tickets"):
        assert (await around.client.get(path)).headers["cache-control"] == "no-store"


async def test_a_caller_that_leaves_does_not_undo_what_it_asked(around: Around, ticket: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await around.client.post(
            f"/tickets/{ticket}/commands",
            json=NOTE,
            headers={"Idempotency-Key": "left"},
            timeout=httpx.Timeout(5, read=0.001),
        )

    async def is_known() -> bool:
        return await around.notes(ticket) == [NOTE["text"]]

    await wait_until(is_known, PATIENCE, "the note of a caller that left")

    async def nobody_waits() -> bool:  # whoever reads the ticket may be quicker than the outcome's way to who waited
        metrics: Any = await around.client.get(around.address.removesuffix("/v1") + "/metrics")
        return "firebreak_api_commands_waiting 0.0" in metrics.text

    await wait_until(nobody_waits, PATIENCE, "the caller that left to be forgotten")


async def test_a_command_that_became_a_dead_letter_is_422_and_names_no_version(around: Around, ticket: str) -> None:
    await around.ask(ticket, Idempotency_Key="1")
    await execute(around.url, "UPDATE command_outcomes SET outcome = 'failed', reason = 'dead letter', version = NULL")
    answer = await around.ask(ticket, Idempotency_Key="1")
    assert kind(answer) == (422, "/problems/command-failed")
    assert "etag" not in answer.headers


async def test_an_agent_opens_one_ticket_however_often_the_key_is_sent(around: Around) -> None:
    async with around.engine():
        answers = await asyncio.gather(*(around.open(Idempotency_Key="once") for _ in range(10)))
        assert {answer.status_code for answer in answers} == {201}
        [url] = {answer.headers["location"] for answer in answers}
        [listed] = (await around.client.get("/tickets")).json()["items"]
        assert url == f"/v1/tickets/{listed['ticket_id']}"
        assert (listed["status"], listed["contact_name"], listed["tags"]) == ("open", "王女士", ["vip"])
        assert await around.notes(listed["ticket_id"]) == [NEW["text"]]
        reused = await around.open({**NEW, "text": "Other"}, Idempotency_Key="once")
        assert kind(reused) == (422, "/problems/idempotency-key-reused")
        assert (await around.open()).headers["location"] != url


async def test_a_known_address_is_the_contact_it_belongs_to_and_what_is_unknown_is_named(around: Around) -> None:
    await execute(around.url, "INSERT INTO contacts VALUES ($1, 'acme', 'Wang', now())", CUSTOMER_ID)
    identity = "INSERT INTO contact_identities VALUES ('acme', 'email', 'wang@customer.example', $1)"
    await execute(around.url, identity, CUSTOMER_ID)
    known: list[dict[str, str]] = [{"email": "Wang@Customer.example"}, {"contact_id": str(CUSTOMER_ID)}]
    async with around.engine():
        for whom in known:
            opened = (await around.open({**NEW, "contact": whom})).json()
            ticket = (await around.client.get(f"/tickets/{opened['ticket_id']}")).json()
            assert (ticket["contact_id"], ticket["contact_name"]) == (str(CUSTOMER_ID), "Wang")
        first = await around.open({**NEW, "contact": known[1]}, Idempotency_Key="by id")
        await execute(around.url, "UPDATE contacts SET name = 'Wang Fang Li'")
        renamed = await around.open({**NEW, "contact": known[1]}, Idempotency_Key="by id")
        await execute(around.url, "DELETE FROM contact_identities")
        gone = await around.open({**NEW, "contact": known[1]}, Idempotency_Key="by id")
        assert [answer.json() for answer in (renamed, gone)] == [first.json()] * 2
        other = await around.open({**NEW, "contact": known[0]}, Idempotency_Key="by id")
        assert kind(other) == (422, "/problems/idempotency-key-reused")
    wrong = {**NEW, "brand": "acne", "team": "nobody", "assignee": "nobody"}
    errors = (await around.open(wrong)).json()["errors"]
    assert [error["field"] for error in errors] == ["body.brand", "body.team", "body.assignee"]
    stranger = await around.open({**NEW, "contact": {"contact_id": str(uuid4())}})
    assert [error["field"] for error in stranger.json()["errors"]] == ["body.contact.contact_id"]
    assert kind(await around.open({**NEW, "text": "😟" * 60_000})) == (413, "/problems/too-large")
