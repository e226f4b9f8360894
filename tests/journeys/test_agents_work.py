"""An agent reads, answers and moves tickets over the API and sees every change at once."""

from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio

from tests.support.agent_desk import AgentDesk
from tests.support.channels_in import ChannelsIn, unique

Json = dict[str, Any]


@pytest_asyncio.fixture
async def ticket(customers: ChannelsIn, desk: AgentDesk) -> Json:
    """A ticket that just came in through the shop."""
    subject = unique("the toaster is broken")
    answer = await customers.through_shop(customers.shop.message("面包机坏了 it does not toast", subject=subject))
    assert answer.is_success, answer.text
    return await desk.find_ticket(subject)


async def test_a_reply_meets_the_first_response_and_is_read_back_at_once(desk: AgentDesk, ticket: Json) -> None:
    after = await desk.apply(ticket["ticket_id"], {"type": "reply", "text": "您好，请问型号？ Which model?"})
    assert after["version"] > ticket["version"]
    assert after["status"] == "open"
    entries = await desk.messages(ticket["ticket_id"])
    assert (entries[-1]["text"], entries[-1]["public"]) == ("您好，请问型号？ Which model?", True)
    clock = await desk.clock(ticket["ticket_id"], "first_response")
    assert clock["status"] == "met"
    assert [step["transition"] for step in clock["story"]] == ["started", "met"]
    assert all(step["cause"] for step in clock["story"])


async def test_the_story_of_a_clock_is_told_in_chinese(desk: AgentDesk, ticket: Json) -> None:
    clock = await desk.clock(ticket["ticket_id"], "first_response", "zh-CN,zh;q=0.9")
    assert "首次响应" in clock["story"][0]["words"]


async def test_a_note_stays_private_and_meets_nothing(desk: AgentDesk, ticket: Json) -> None:
    await desk.apply(ticket["ticket_id"], {"type": "note", "text": "客户很着急"})
    assert (await desk.messages(ticket["ticket_id"]))[-1]["public"] is False
    assert (await desk.clock(ticket["ticket_id"], "first_response"))["status"] == "running"


async def test_waiting_for_the_customer_pauses_resolution_and_a_message_resumes_it(
    desk: AgentDesk, customers: ChannelsIn
) -> None:
    subject, conversation = unique("spare part"), uuid4().hex
    first = customers.shop.message("Where is it?", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(first)).is_success
    ticket = await desk.find_ticket(subject)
    await desk.apply(ticket["ticket_id"], {"type": "set-status", "status": "pending"})
    assert (await desk.clock(ticket["ticket_id"], "resolution"))["status"] == "paused"
    assert (await desk.clock(ticket["ticket_id"], "first_response"))["status"] == "running"
    second = customers.shop.message("It came.", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(second)).is_success
    await desk.ticket_when(ticket["ticket_id"], lambda now: now["status"] == "open", "the ticket to reopen")
    assert (await desk.clock(ticket["ticket_id"], "resolution"))["status"] == "running"


async def test_solving_stops_every_clock(desk: AgentDesk, ticket: Json) -> None:
    await desk.apply(ticket["ticket_id"], {"type": "reply", "text": "Fixed."})
    solved = await desk.apply(ticket["ticket_id"], {"type": "set-status", "status": "solved"})
    assert solved["next_due_at"] is None
    assert (await desk.clock(ticket["ticket_id"], "resolution"))["status"] == "met"


async def test_an_agent_hands_a_ticket_over_and_raises_it(desk: AgentDesk, ticket: Json) -> None:
    await desk.apply(ticket["ticket_id"], {"type": "assign", "team": "safety", "assignee": "mia"})
    after = await desk.apply(ticket["ticket_id"], {"type": "set-priority", "priority": "urgent"})
    assert (after["team"], after["assignee"], after["priority"]) == ("safety", "mia", "urgent")
    found = await desk.tickets(team="safety", assignee="mia", priority="urgent", limit=200)
    assert ticket["ticket_id"] in [item["ticket_id"] for item in found]


async def test_a_change_based_on_an_old_version_is_refused(desk: AgentDesk, ticket: Json) -> None:
    await desk.apply(ticket["ticket_id"], {"type": "note", "text": "somebody was faster"})
    stale = {"If-Match": f'"{ticket["version"]}"'}
    response = await desk.ask(ticket["ticket_id"], {"type": "set-status", "status": "solved"}, **stale)
    assert response.status_code == 412
    assert response.json()["type"] == "/problems/version-conflict"
    assert (await desk.get(f"/tickets/{ticket['ticket_id']}"))["status"] == "new"


async def test_a_command_repeated_with_its_key_has_one_effect(desk: AgentDesk, ticket: Json) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    reply = {"type": "reply", "text": "Once."}
    answers = [await desk.ask(ticket["ticket_id"], reply, **key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["command_id"] for answer in answers}) == 1
    assert [entry["text"] for entry in await desk.messages(ticket["ticket_id"])].count("Once.") == 1
    other = await desk.ask(ticket["ticket_id"], {"type": "reply", "text": "Twice."}, **key)
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "header.idempotency-key"


async def test_the_timeline_has_no_gap_and_every_fact_names_its_cause(desk: AgentDesk, ticket: Json) -> None:
    await desk.apply(ticket["ticket_id"], {"type": "reply", "text": "Hello"})
    facts = await desk.timeline(ticket["ticket_id"])
    assert [fact["version"] for fact in facts] == list(range(1, len(facts) + 1))
    assert all(fact["causation_id"] for fact in facts)
    assert facts[0]["type"] == "firebreak.ticket.opened.v1"


async def test_pages_follow_each_other_without_overlap(desk: AgentDesk, ticket: Json, customers: ChannelsIn) -> None:
    subject = unique("one more")
    await customers.through_shop(customers.shop.message("x", subject=subject))
    await desk.find_ticket(subject)
    first = await desk.get("/tickets", limit=1)
    second = await desk.get("/tickets", limit=1, cursor=first["next_cursor"])
    assert first["items"][0]["number"] > second["items"][0]["number"]


async def test_errors_name_the_field_and_the_fix(desk: AgentDesk, ticket: Json) -> None:
    response = await desk.ask(ticket["ticket_id"], {"type": "set-status", "status": "sloved"})
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert error["field"] == "body.status"
    assert "solved" in error["fix"]


async def test_a_ticket_is_not_given_to_a_team_or_agent_that_does_not_exist(desk: AgentDesk, ticket: Json) -> None:
    holder = {"type": "assign", "team": "after-slaes", "assignee": "nobody"}
    response = await desk.ask(ticket["ticket_id"], holder)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["body.team", "body.assignee"]
    assert (await desk.get(f"/tickets/{ticket['ticket_id']}"))["team"] == ticket["team"]


async def test_nobody_reads_without_a_key(desk: AgentDesk) -> None:
    async with httpx.AsyncClient(base_url=desk.client.base_url) as stranger:
        response = await stranger.get("/tickets")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_ticket_that_is_not_there_is_404(desk: AgentDesk) -> None:
    response = await desk.ask(str(uuid4()), {"type": "note", "text": "x"})
    assert response.status_code == 404
    assert response.json()["type"] == "/problems/no-such-ticket"
