"""A plan tells how many open tickets each document touches; the tickets are made by the engine, on a real database."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
import pytest_asyncio

from sla_engine.stored_state import decode_state
from tests.support.sla_engine import OFFICE, STANDARD, SURROUNDINGS, EngineUnderTest, configure
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, a_message, moment
from ticket_contracts.actions import ChangeTags, Classify, SetFields
from ticket_contracts.commands import Assign, Command, ReceiveMessage, Reply, Routing, SetStatus
from ticket_contracts.rule_view import TICKET_FIELDS
from ticket_contracts.vocabulary import Channel, Grade, Priority, Status
from ticket_store import configuration, touched_rules
from ticket_store.configuration_plan import PlannedChange, plan
from ticket_store.document_kinds import DOCUMENT_KINDS
from ticket_store.documents import Document, Policy
from ticket_store.sessions import open_pool
from ticket_store.tables.tickets import OPEN_AS_RULES_SEE_THEM
from ticket_store.touched_rules import read_open_ticket

NOW = moment("mon 10:00")
LINES = {"new": ["open", "solved", "closed"], "open": ["pending", "on-hold", "solved"]}
ROW = {"low": "low", "medium": "normal", "high": "high"}
TOLD = {"name": "tell", "metric": "resolution", "at": "breach", "notify": [{"to": "group", "name": "management"}]}


def document(kind: str, name: str, **content: Any) -> Document:
    return DOCUMENT_KINDS[kind].model_validate({"name": name, **content})


PRESENT: dict[str, Document] = {
    "policy": Policy.model_validate({**STANDARD.model_dump(), "escalations": [TOLD]}),
    "team": document("team", "repairs", display_name="Repairs", members=["li.wei"]),
    "group": document("group", "management", display_name="Management", members=["li.wei"]),
    "parts": document("status", "waiting-for-parts", category="on-hold"),
    "flow": document("flow", "service", teams=["service"], allowed={**LINES, "on-hold": ["open"], "pending": ["open"]}),
    "appliance": document("field", "appliance", type="choice", choices=["oven", "fridge"]),
    "bought": document("field", "bought", type="text"),
    "taxonomy": document(
        "taxonomy", "taxonomy", resolution_codes=[{"name": "replaced"}, {"name": "told"}], causes=[{"name": "seal"}]
    ),
    "matrix": document("matrix", "priorities", priorities=dict.fromkeys(ROW, ROW)),
    "vip": document(
        "automation", "vip", order=1, on=["message-added"], then={"note": "x"},
        when='"vip" in ticket.tags && message.author.kind == "customer"',
    ),
    "remind": document(
        "automation", "remind", order=2, after={"status": "pending", "duration": "3h"}, then={"note": "x"}
    ),
}  # fmt: skip


class Desk:
    """An engine with tickets, and the configuration that they came about under."""

    def __init__(self, engine: EngineUnderTest) -> None:
        self.engine = engine
        self.tickets = 0

    async def ticket(self, *commands: tuple[type[Command], dict[str, Any]], channel: Channel = Channel.EMAIL) -> None:
        """Let a customer write, and an agent do the rest."""
        self.tickets += 1
        ticket_id = UUID(int=self.tickets)
        message = a_message(NOW, self.tickets, message_id=uuid5(ticket_id, "first"), channel=channel)
        routing = {"team": "service", "priority": Priority.NORMAL}
        opening: tuple[type[Command], dict[str, Any]] = (
            ReceiveMessage,
            {"message": message, "contact_id": CUSTOMER_ID, "routing": Routing(**routing)},
        )
        for step, (kind, content) in enumerate((opening, *commands)):
            at = NOW + timedelta(minutes=step)
            command = kind(ticket_id=ticket_id, actor=AGENT, **content)
            await self.engine.run([self.engine.record(command, at, f"{self.tickets}-{step}")], now=at)

    async def planned(self, **changed: Document | None) -> Mapping[str, PlannedChange]:
        """Plan these documents in place of those that they name; None leaves one out."""
        whole = [each for each in (PRESENT | changed).values() if each is not None]
        async with self.engine.pool.acquire() as connection:
            present = await configuration.load(connection)
            found = await plan(connection, present, [*SURROUNDINGS, OFFICE, *whole])
        return {change.name: change for change in found.changes}


def sure(change: PlannedChange) -> tuple[int, list[int]]:
    """Return how many tickets are touched, and of them the parts."""
    assert not change.at_least
    return change.open_tickets, [part.open_tickets for part in change.parts]


@pytest_asyncio.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with open_pool(database_url, application_name="test engine", index_plans=True) as pool:
        engine = EngineUnderTest(pool)
        await configure(pool, OFFICE, *PRESENT.values())
        desk = Desk(engine)
        answer = (Reply, {"text": "好"})
        parts = {"status": Status.ON_HOLD, "status_name": "waiting-for-parts"}
        solved = {"status": Status.SOLVED, "resolution_code": "replaced", "cause": "seal"}
        await desk.ticket()
        await desk.ticket(
            answer, (SetStatus, parts), (SetFields, {"fields": {"appliance": "oven", "bought": "2026-01-01"}})
        )
        await desk.ticket(answer, (SetStatus, {"status": Status.PENDING}), (ChangeTags, {"add": ("vip",)}))
        await desk.ticket(answer, (SetStatus, solved), (SetFields, {"fields": {"bought": "long ago"}}))
        await desk.ticket(answer, (Assign, {"team": "repairs", "assignee": "li.wei"}), channel=Channel.PHONE)
        await desk.ticket(
            (Classify, {"impact": Grade.LOW, "urgency": Grade.HIGH}), (ChangeTags, {"add": ("vip",)}),
            (SetStatus, {**solved, "status": Status.CLOSED}),
        )  # fmt: skip
        await desk.ticket((Classify, {"impact": Grade.LOW, "urgency": Grade.HIGH}), channel=Channel.PHONE)
        yield desk


async def test_a_flow_touches_the_tickets_of_its_teams_and_tells_who_nobody_could_lead_on(desk: Desk) -> None:
    narrow = document("flow", "service", teams=["service"], allowed=LINES)
    narrowed = (await desk.planned(flow=narrow))["service"]
    assert sure(narrowed) == (5, [2])
    assert narrowed.parts[0].note.endswith(": 1 waiting-for-parts, 1 pending")

    for_all = document("flow", "rest", allowed=LINES)
    both = await desk.planned(flow=document("flow", "service", teams=["repairs"], allowed=LINES), rest=for_all)
    assert (sure(both["service"]), sure(both["rest"])) == ((6, [2]), (5, [2]))
    assert sure((await desk.planned(flow=None))["service"]) == (5, [])


async def test_words_fields_and_grades_touch_the_tickets_that_have_them(desk: Desk) -> None:
    assert sure((await desk.planned(parts=None, flow=None))["waiting-for-parts"]) == (1, [])
    renamed = document("status", "waiting-for-parts", category="on-hold", labels={"en": "Parts"})
    assert sure((await desk.planned(parts=renamed))["waiting-for-parts"]) == (1, [])
    dated = await desk.planned(
        bought=document("field", "bought", type="date"),
        appliance=document("field", "appliance", type="choice", choices=["fridge"]),
    )
    assert (sure(dated["bought"]), sure(dated["appliance"])) == ((2, [1]), (1, [1]))
    assert sure((await desk.planned(bought=None))["bought"]) == (2, [])
    fewer = document("taxonomy", "taxonomy", resolution_codes=[{"name": "told"}], causes=[{"name": "seal"}])
    assert sure((await desk.planned(taxonomy=fewer))["taxonomy"]) == (1, [1])
    unused = document("taxonomy", "taxonomy", resolution_codes=[{"name": "replaced"}], causes=[{"name": "seal"}])
    assert sure((await desk.planned(taxonomy=unused))["taxonomy"]) == (0, [])
    urgent = document("matrix", "priorities", priorities={**dict.fromkeys(ROW, ROW), "low": {**ROW, "high": "urgent"}})
    assert sure((await desk.planned(matrix=urgent))["priorities"]) == (1, [])


async def test_people_and_promises_touch_the_tickets_that_stand_under_them(desk: Desk) -> None:
    planned = await desk.planned(
        team=document("team", "repairs", display_name="Repairs"),
        group=document("group", "management", display_name="The management", members=["li.wei"]),
        policy=STANDARD,
        acme=document("brand", "acme", display_name="ACME"),
        wei=document("agent", "li.wei", display_name="Wei", email="li.wei@acme.example"),
        hours=OFFICE.model_copy(update={"zone": "Asia/Shanghai"}),
    )
    assert {name: sure(change) for name, change in planned.items()} == {
        "repairs": (1, [1]), "management": (4, []), "standard": (6, []), "acme": (6, []), "li.wei": (1, []),
        "office": (4, []),  # one is solved, and for one there is no promise: its priority is high
    }  # fmt: skip


def a_rule(name: str, **content: Any) -> Document:
    return document(
        "automation", name, **{"order": 3, "on": ["assigned", "message-added"], "then": {"note": "x"}, **content}
    )


NEW_RULES: tuple[tuple[dict[str, Any], int], ...] = (
    ({"when": 'ticket.channel == "phone"'}, 2),
    ({"when": 'message.words.mentions(["x"]) && ticket.channel == "phone"'}, 2),
    ({"when": 'has(message.call) || ticket.channel == "phone"'}, 6),
    ({"when": "message.public", "channels": ["phone"]}, 2),
    ({"when": 'ticket.status == "solved" && fact.type == "assigned"'}, 1),
    ({"when": 'has(ticket.fields.appliance) && ticket.fields.appliance == "oven"'}, 1),
    ({"when": 'lower(ticket.resolution_code) == "replaced"'}, 1),  # of the others it fails, and the rule does nothing
    ({"when": "ticket.answered && !ticket.unanswered"}, 4),
    ({"when": "false"}, 0),
    ({"on": ["opened"]}, 0),
    ({"on": [], "after": {"status": "pending", "duration": "3h"}}, 0),  # it counts from the next stay
)


async def test_new_rules_touch_what_their_conditions_do_not_rule_out(desk: Desk) -> None:
    rules = {f"rule {number}": a_rule(f"rule {number}", **content) for number, (content, _) in enumerate(NEW_RULES)}
    planned = await desk.planned(**rules)
    assert [sure(planned[name]) for name in rules] == [(touched, []) for _, touched in NEW_RULES]


async def test_an_edited_rule_touches_what_either_text_does_not_rule_out_and_what_waits_for_it(desk: Desk) -> None:
    planned = await desk.planned(
        vip=a_rule("vip", when='ticket.channel == "phone"'),
        remind=document(
            "automation", "remind", order=2, after={"status": "pending", "duration": "5h"}, then={"note": "x"}
        ),
    )
    assert (sure(planned["vip"]), sure(planned["remind"])) == ((3, [2]), (1, []))
    gone = await desk.planned(vip=None, remind=None)
    assert (sure(gone["vip"]), sure(gone["remind"])) == ((1, []), (1, []))
    turned = (await desk.planned(remind=a_rule("remind", when='ticket.channel == "phone"')))["remind"]
    assert (turned.open_tickets, turned.at_least) == (2, True)  # who waits may be one of the two
    assert [part.open_tickets for part in turned.parts] == [2, 1]


async def test_a_count_that_does_not_look_at_every_ticket_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touched_rules, "MOST_ANSWERS", 5)
    phone, mail = (a_rule(name, when=f'ticket.channel == "{name}"') for name in ("phone", "email"))
    exact = a_rule("exact", channels=["phone"])
    planned = await desk.planned(phone=phone, mail=mail, exact=exact)
    assert sure(planned["exact"]) == (2, [])
    cut = planned["phone"]  # two conditions, so the newest two open tickets, both of the phone
    assert (cut.open_tickets, cut.at_least, planned["email"].at_least) == (2, True, True)
    assert cut.note.endswith("only the newest 2 open tickets were asked")


async def test_conditions_that_take_too_long_are_given_up_and_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(touched_rules, "MOST_SECONDS", 0.0)
    phone, exact = a_rule("phone", when='ticket.channel == "phone"'), a_rule("exact", channels=["phone"])
    planned = await desk.planned(phone=phone, exact=exact)
    assert [(planned[name].open_tickets, planned[name].at_least) for name in ("phone", "exact")] == 2 * [(0, True)]
    assert planned["phone"].note.endswith("only the newest 0 open tickets were asked")
    assert planned["exact"].note.endswith("it took too long to ask it for every channel")


async def test_a_plan_takes_as_many_statements_for_many_documents_as_for_one(desk: Desk) -> None:
    async def statements(number: int) -> int:
        seen: list[str] = []
        kinds = {"brand": {"display_name": "X"}, "agent": {"display_name": "X", "email": "x@acme.example"}}
        more = {f"{kind} {n}": document(kind, f"x{n}", **what) for kind, what in kinds.items() for n in range(number)}
        rules = {f"r{n}": a_rule(f"r{n}", when='ticket.channel == "phone"') for n in range(number)}
        async with desk.engine.pool.acquire() as connection:
            present = await configuration.load(connection)
            with connection.query_logger(lambda query: seen.append(query.query)):
                await plan(
                    connection, present, [*SURROUNDINGS, OFFICE, *PRESENT.values(), *more.values(), *rules.values()]
                )
        return len(seen)

    assert await statements(7) == await statements(1)


async def test_conditions_see_in_a_plan_what_they_see_in_the_engine(desk: Desk) -> None:
    await desk.engine.fire(now=NOW + timedelta(hours=4))
    past = '[["update", "2026-01-05T10:00:00Z", true, true], ["next_response", "2026-01-05T10:00:00Z", true, false]]'
    await desk.engine.rows(
        "UPDATE tickets SET state = jsonb_set(state, '{past_clocks}', $1::jsonb) WHERE number = 1004", past
    )
    states = await desk.engine.rows("SELECT state FROM tickets WHERE status <> 'closed' ORDER BY ticket_id DESC")
    read = [read_open_ticket(row["seen"]) for row in await desk.engine.rows(OPEN_AS_RULES_SEE_THEM, 100)]
    engine = [decode_state(row["state"]) for row in states]
    for name, show in TICKET_FIELDS.items():
        assert [show(each) for each in read] == [show(each) for each in engine], name
    assert {metric for each in read for metric in each.breached} == {"first_response", "update"}
