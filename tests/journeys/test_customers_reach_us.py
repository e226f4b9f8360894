"""A customer says something on a channel, and there is one ticket: routed, assigned and timed."""

from uuid import uuid4

from tests.support.agent_desk import AgentDesk, Json, wait_for
from tests.support.channels_in import ChannelsIn, new_message_id, unique
from tests.support.partners.signed_request import Way


async def test_a_customer_writes_a_mail_and_an_agent_has_a_timed_ticket(customers: ChannelsIn, desk: AgentDesk) -> None:
    subject = unique("洗衣机漏水 washing machine leaks")
    reply = await customers.through_mail(subject, "厨房地板上都是水。", new_message_id())
    assert reply.code == 250
    ticket = await desk.find_ticket(subject)
    assert (ticket["channel"], ticket["team"], ticket["status"]) == ("email", "after-sales", "new")
    assert ticket["contact_name"].startswith("Li Wei")  # the name under which we first met this address
    assert ticket["assignee"] in ("wang", "chen", "tom")
    assert "fault" in ticket["tags"]
    assert ticket["first_response_due_at"] is not None
    [entry] = await desk.messages(ticket["ticket_id"])
    assert entry["text"].strip() == "厨房地板上都是水。"
    assert entry["raw"]["key"].startswith("sha256/")


async def test_the_customers_next_mail_joins_the_ticket(customers: ChannelsIn, desk: AgentDesk) -> None:
    subject, first, second = unique("oven is broken"), new_message_id(), new_message_id()
    await customers.through_mail(subject, "It does not heat.", first)
    ticket = await desk.find_ticket(subject)
    answer = (("In-Reply-To", first), ("References", first))
    assert (await customers.through_mail(f"Re: {subject}", "Any news?", second, answer)).code == 250
    entries = await desk.conversation_of(ticket["ticket_id"], 2)
    assert [entry["text"].strip() for entry in entries] == ["It does not heat.", "Any news?"]
    assert [found["ticket_id"] for found in await desk.tickets(limit=200) if subject in found["subject"]] == [
        ticket["ticket_id"]
    ]


async def test_an_out_of_office_answer_starts_no_ticket_and_no_clock(customers: ChannelsIn, desk: AgentDesk) -> None:
    subject, first = unique("fridge noise"), new_message_id()
    await customers.through_mail(subject, "It hums all night.", first)
    ticket = await desk.find_ticket(subject)
    automatic = (("Auto-Submitted", "auto-replied"), ("In-Reply-To", first))
    await customers.through_mail(f"Automatic reply: {subject}", "I am away.", new_message_id(), automatic)
    stray = unique("Automatic reply: to nobody")
    await customers.through_mail(stray, "I am away.", new_message_id(), (("Auto-Submitted", "auto-replied"),))
    marker = unique("after the automatic answers")
    await customers.through_mail(marker, "A person again.", new_message_id())
    await desk.find_ticket(marker)
    entries = await desk.conversation_of(ticket["ticket_id"], 2)
    assert [entry["automation"] for entry in entries] == ["human", "automatic-answer"]
    assert not [found for found in await desk.tickets(limit=200) if found["subject"] == stray]


async def test_a_webhook_delivered_twice_is_one_message(customers: ChannelsIn, desk: AgentDesk) -> None:
    subject, conversation = unique("refund for my order"), uuid4().hex
    first = customers.shop.message("退款多久到账？", subject=subject, conversation_id=conversation)
    once = await customers.through_shop(first)
    again = await customers.through_shop(customers.shop.message("", Way.REPEATED))
    assert (once.is_success, again.is_success) == (True, True)
    # In the same conversation, and so behind the repeat: once it is there, the repeat has been dealt with.
    marker = customers.shop.message("next", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(marker)).is_success
    ticket = await desk.find_ticket(subject)
    entries = await desk.conversation_of(ticket["ticket_id"], 2)
    assert [entry["text"] for entry in entries] == ["退款多久到账？", "next"]
    assert "refund" in ticket["tags"]


async def test_a_slack_thread_is_one_ticket(customers: ChannelsIn, desk: AgentDesk) -> None:
    words, thread = unique("heater shows error E4"), customers.slack.new_ts()
    assert (await customers.through_slack(customers.slack.message(words, ts=thread))).is_success
    assert (await customers.through_slack(customers.slack.message("Still E4.", thread_ts=thread))).is_success

    async def ticket_of(words: str) -> str | None:
        for ticket in await desk.tickets(channel="chat", limit=200):
            if any(words in entry["text"] for entry in await desk.messages(ticket["ticket_id"])):
                return str(ticket["ticket_id"])
        return None

    ticket_id = await wait_for(lambda: ticket_of(words), "the ticket of the thread")
    entries = await desk.conversation_of(ticket_id, 2)
    assert [entry["text"] for entry in entries] == [words, "Still E4."]


async def test_a_missed_call_is_a_customers_message_with_a_clock(customers: ChannelsIn, desk: AgentDesk) -> None:
    before = {ticket["ticket_id"] for ticket in await desk.tickets(channel="phone", limit=200)}
    assert (await customers.through_telephone(customers.telephone.call())).is_success

    async def new_call() -> Json | None:
        found = [t for t in await desk.tickets(channel="phone", limit=200) if t["ticket_id"] not in before]
        return found[0] if found else None

    ticket = await wait_for(new_call, "the ticket of the call")
    assert "call-back" in ticket["tags"]
    assert ticket["priority"] == "high"
    assert (await desk.clock(ticket["ticket_id"], "first_response"))["status"] == "running"


async def test_a_forged_webhook_leaves_nothing_behind(customers: ChannelsIn, desk: AgentDesk) -> None:
    subject, conversation = unique("forged"), uuid4().hex
    forged = customers.shop.message("forged", Way.FORGED, subject=subject, conversation_id=conversation)
    answer = await customers.through_shop(forged)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    genuine = customers.shop.message("genuine", subject=subject, conversation_id=conversation)
    assert (await customers.through_shop(genuine)).is_success
    ticket = await desk.find_ticket(subject)
    assert [entry["text"] for entry in await desk.messages(ticket["ticket_id"])] == ["genuine"]
