"""An agent tags, grades, fills in, snoozes, watches, and solves with a reason; and meets what the example refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.support.agent_desk import AgentDesk
from tests.support.channels_in import ChannelsIn, unique

Json = dict[str, Any]


@pytest_asyncio.fixture
async def ticket(customers: ChannelsIn, desk: AgentDesk) -> Json:
    """A ticket that just came in through the shop."""
    subject = unique("the dryer hums")
    answer = await customers.through_shop(customers.shop.message("烘干机有异响 it hums", subject=subject))
    assert answer.is_success, answer.text
    return await desk.find_ticket(subject)


async def test_a_ticket_is_tagged_filled_in_graded_and_watched(desk: AgentDesk, ticket: Json) -> None:
    ticket_id = ticket["ticket_id"]
    await desk.apply(ticket_id, {"type": "tags", "add": ["烘干机", "noise"]})
    await desk.apply(ticket_id, {"type": "fields", "fields": {"serial-number": "DR-7", "warranty": "valid"}})
    await desk.apply(ticket_id, {"type": "watchers", "add": ["lin"]})
    after = await desk.apply(ticket_id, {"type": "classify", "impact": "high", "urgency": "high"})
    assert set(after["tags"]) >= {"烘干机", "noise"}
    assert after["fields"] == {"serial-number": "DR-7", "warranty": "valid"}
    assert after["watchers"] == ["lin"]
    assert (after["impact"], after["urgency"], after["priority"]) == ("high", "high", "urgent")
    assert [each["ticket_id"] for each in await desk.tickets(tag="烘干机")] == [ticket_id]


async def test_a_ticket_waits_for_parts_and_is_solved_with_a_code_and_a_cause(desk: AgentDesk, ticket: Json) -> None:
    ticket_id = ticket["ticket_id"]
    waiting = {"type": "set-status", "status": "on-hold", "status_name": "waiting-for-parts"}
    assert (await desk.apply(ticket_id, waiting))["status_name"] == "waiting-for-parts"
    assert ticket_id in [each["ticket_id"] for each in await desk.tickets(status_name="waiting-for-parts")]
    assert await desk.tickets(status_name="waiting-for-nobody") == []
    assert (await desk.clock(ticket_id, "resolution"))["status"] == "paused"
    await desk.apply(ticket_id, {"type": "set-status", "status": "open"})
    solved = {"type": "set-status", "status": "solved", "resolution_code": "replaced", "cause": "wear"}
    after = await desk.apply(ticket_id, solved)
    assert (after["resolution_code"], after["cause"], after["status_name"]) == ("replaced", "wear", None)


async def test_a_snoozed_ticket_wakes_by_itself(desk: AgentDesk, ticket: Json) -> None:
    until = datetime.now(UTC) + timedelta(seconds=2)
    after = await desk.apply(ticket["ticket_id"], {"type": "snooze", "until": until.isoformat()})
    assert after["snoozed_until"] is not None
    await desk.ticket_when(ticket["ticket_id"], lambda now: now["snoozed_until"] is None, "the ticket to wake")
    assert (await desk.timeline(ticket["ticket_id"]))[-1]["type"] == "firebreak.ticket.woke.v1"


async def test_spam_is_left_out_of_a_list_and_has_no_clock_that_runs(desk: AgentDesk, ticket: Json) -> None:
    ticket_id = ticket["ticket_id"]
    assert (await desk.apply(ticket_id, {"type": "spam", "spam": True}))["spam"] is True
    assert ticket_id in [each["ticket_id"] for each in await desk.tickets(spam=True, limit=200)]
    assert ticket_id not in [each["ticket_id"] for each in await desk.tickets(limit=200)]
    clock = await desk.clock(ticket_id, "first_response", "zh")
    assert clock["status"] == "cancelled"
    assert "垃圾信息" in clock["story"][-1]["words"]


async def test_a_ticket_is_merged_and_what_the_customer_writes_afterwards_stands_in_the_other_one(
    desk: AgentDesk, customers: ChannelsIn, ticket: Json
) -> None:
    subject, conversation = unique("the same dryer"), unique("conversation")
    first = customers.shop.message("再次反馈", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(first)).is_success
    double = await desk.find_ticket(subject)
    await desk.apply(double["ticket_id"], {"type": "merge", "target_id": ticket["ticket_id"]})
    after = await desk.ticket_when(double["ticket_id"], lambda now: now["merged_into"], "the merge to finish")
    assert (after["status"], after["merged_into"]) == ("closed", ticket["ticket_id"])
    assert await desk.relations(double["ticket_id"]) == [(ticket["ticket_id"], "merged-into")]
    assert await desk.relations(ticket["ticket_id"]) == [(double["ticket_id"], "merged-from")]
    later = customers.shop.message("还在响", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(later)).is_success
    entries = await desk.conversation_of(ticket["ticket_id"], 2)
    assert entries[-1]["text"] == "还在响"


async def test_tickets_are_linked_on_both_sides_and_a_message_is_split_off(desk: AgentDesk, ticket: Json) -> None:
    [entry] = await desk.messages(ticket["ticket_id"])
    subject = unique("split off")
    wish = {"type": "split", "message_ids": [entry["message_id"]], "subject": subject}
    after = await desk.apply(ticket["ticket_id"], wish)
    other = await desk.find_ticket(subject)
    assert after["links"] == [{"other_id": other["ticket_id"], "kind": "related"}]
    assert other["links"] == [{"other_id": ticket["ticket_id"], "kind": "related"}]
    assert [each["text"] for each in await desk.messages(other["ticket_id"])] == [entry["text"]]
    assert await desk.relations(ticket["ticket_id"]) == [(other["ticket_id"], "split-into")]
    assert await desk.relations(other["ticket_id"]) == [(ticket["ticket_id"], "split-from")]


async def test_an_agent_opens_a_ticket_for_a_caller_and_reads_who_holds_it_and_why_no_clock_runs(
    desk: AgentDesk,
) -> None:
    call = {"direction": "inbound", "answered": False, "started_at": datetime.now(UTC).isoformat()}
    body = {
        "brand": "aurora",
        "channel": "phone",
        "contact": {"phone": "+8613800000007", "name": "王女士"},
        "subject": unique("she called"),
        "text": "来电未接，请回拨",
        "public": False,
        "team": "safety",
        "priority": "urgent",
        "tags": ["danger"],
    }
    noted = await desk.client.post("/tickets", json={**body, "call": call})
    assert noted.status_code == 201, noted.text
    clock = await desk.clock(noted.json()["ticket_id"], "first_response", "zh")
    [held] = clock["held"]
    assert (held["team"], held["until"]) == ("safety", None)
    assert held["business_seconds"] <= held["wall_seconds"]
    assert clock["story"][0]["event"]["words"] == "未接来电"
    first = await desk.client.post("/tickets", json={**body, "public": True})
    told = await desk.get(f"/tickets/{first.json()['ticket_id']}/sla")
    assert {each["reason"] for each in told["absent"]} >= {"no-customer-message"}
    assert told["clocks"] == []


async def test_a_closed_ticket_is_followed_up_once_and_what_the_customer_writes_stands_in_the_follow_up(
    desk: AgentDesk, customers: ChannelsIn
) -> None:
    subject, conversation = unique("the dryer hums again"), unique("conversation")
    first = customers.shop.message("烘干机有异响", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(first)).is_success
    ticket_id = (await desk.find_ticket(subject))["ticket_id"]
    await desk.apply(ticket_id, {"type": "tags", "add": ["noise"]})
    await desk.apply(ticket_id, {"type": "fields", "fields": {"serial-number": "DR-7"}})
    wish = {"type": "follow-up", "text": "客户来电，异响又出现", "public": False, "assignee": "lin"}
    early = await desk.ask(ticket_id, wish)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/command-rejected")
    assert early.json()["detail"].startswith("status: the ticket is ")
    await desk.apply(ticket_id, {"type": "set-status", "status": "closed", "resolution_code": "replaced"})
    answers = [await desk.ask(ticket_id, wish, **{"Idempotency-Key": ticket_id}) for _ in range(2)]
    [url] = {answer.headers["Location"].removeprefix("/v1") for answer in answers}
    opened = await desk.get(url)  # it is there by the time of the answer
    assert (opened["status"], opened["assignee"], opened["fields"]) == ("open", "lin", {"serial-number": "DR-7"})
    assert "noise" in opened["tags"]
    follow_up_id = opened["ticket_id"]
    assert await desk.relations(ticket_id) == [(follow_up_id, "followed-by")]
    assert await desk.relations(follow_up_id) == [(ticket_id, "follows")]
    again = await desk.ask(ticket_id, wish)
    assert again.status_code == 409
    assert follow_up_id in again.json()["detail"]
    told = await desk.client.get(f"{url}/sla", headers={"Accept-Language": "zh"})
    assert "上一张工单关闭后客户尚未来信" in told.json()["absent"][0]["words"]
    later = customers.shop.message("还是有异响", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(later)).is_success
    entries = await desk.conversation_of(follow_up_id, 2)
    assert [entry["text"] for entry in entries] == [wish["text"], "还是有异响"]
    assert (await desk.clock(follow_up_id, "first_response"))["status"] == "running"
    assert (await desk.timeline(ticket_id))[-1]["type"] == "firebreak.ticket.successor-named.v1"


@pytest.mark.parametrize(
    ("command", "status", "named"),
    [
        ({"type": "fields", "fields": {"colour": "red"}}, 409, "fields.colour"),
        ({"type": "fields", "fields": {"warranty": "perhaps"}}, 409, "fields.warranty"),
        ({"type": "set-status", "status": "solved", "resolution_code": "magic"}, 409, "resolution_code"),
        ({"type": "snooze", "until": "2020-01-01T00:00:00Z"}, 409, "until"),
        ({"type": "snooze", "until": "tomorrow"}, 422, ".until"),
        ({"type": "watchers", "add": ["nobody"]}, 422, "body.add.0"),
        ({"type": "merge", "target_id": "01900000-0000-7000-8000-00000000ffff"}, 422, "body.target_id"),
        ({"type": "undo-merge"}, 409, "not merged"),
        ({"type": "follow-up", "text": "x", "public": False, "team": "nobody"}, 422, "body.team"),
        ({"type": "follow-up", "text": "x", "public": False, "assignee": "nobody"}, 422, "body.assignee"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    desk: AgentDesk, ticket: Json, command: Json, status: int, named: str
) -> None:
    answer = await desk.ask(ticket["ticket_id"], command)
    assert answer.status_code == status, answer.text
    assert named in answer.text
