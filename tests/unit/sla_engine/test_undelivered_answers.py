"""That an answer did not arrive is told in the conversation and moves nothing else."""

from typing import Any

from tests.unit.sla_engine.case import Case, kinds, moment
from tests.unit.sla_engine.rules import a_rule, ruled
from ticket_contracts.automation import RuleRan
from ticket_contracts.messages import Delivery
from ticket_contracts.tickets import MessageAdded, MessageRevised
from ticket_contracts.vocabulary import Automation, DeliveryState, MessageKind, Status

FAILED = Delivery(state=DeliveryState.FAILED, reason="131047: More than 24 hours have passed")
TOLD: dict[str, Any] = {
    "kind": MessageKind.STATUS,
    "automation": Automation.GENERATED,
    "provider_id": "wamid.9",
    "text": "",
    "delivery": FAILED,
}


def test_an_answer_keeps_the_id_that_the_channel_gave_it() -> None:
    case = Case()
    case.receive(moment("mon 09:00"))
    case.reply(moment("mon 09:10"), provider_id="wamid.9")
    case.reply(moment("mon 09:20"))
    answers = [fact.message for fact in case.facts if isinstance(fact, MessageAdded)]
    assert [answer.provider_id for answer in answers] == ["wamid.9", ""]


def test_a_failure_is_recorded_and_touches_neither_clock_nor_status() -> None:
    case = Case()
    case.receive(moment("mon 09:00"))
    case.reply(moment("mon 09:10"), provider_id="wamid.9")
    case.set_status(Status.PENDING, moment("mon 09:20"))
    clocks = case.ticket.clocks
    facts = case.receive(moment("mon 09:30"), number=2, **TOLD)
    assert kinds(facts) == ["message-revised"]
    assert isinstance(facts, list)
    assert isinstance(facts[0], MessageRevised)
    told = facts[0].message
    assert (told.kind, told.provider_id, told.delivery) == (MessageKind.STATUS, "wamid.9", FAILED)
    assert (case.status, case.ticket.clocks) == (Status.PENDING, clocks)


def test_a_failure_of_a_closed_ticket_opens_no_follow_up() -> None:
    case = Case()
    case.receive(moment("mon 09:00"))
    case.set_status(Status.CLOSED, moment("mon 09:20"))
    case.receive(moment("mon 09:30"), number=2, **TOLD)
    assert (case.ticket.successor_id, case.status) == (None, Status.CLOSED)


def test_a_rule_may_act_on_a_failure_and_does_not_answer_it() -> None:
    then = {"add_tags": ("undelivered",), "reply": "We could not reach you"}
    case = ruled(a_rule("undelivered", "message-revised", when='message.kind == "status"', then=then))
    case.receive(moment("mon 09:00"))
    case.receive(moment("mon 09:20"), number=2, kind=MessageKind.EDITED)
    facts = case.receive(moment("mon 09:30"), number=3, **TOLD)
    assert isinstance(facts, list)
    [ran] = [fact for fact in facts if isinstance(fact, RuleRan)]
    assert ran.refused == ("reply: the message was not written by a person (auto-generated)",)
    assert case.ticket.summary.tags == ("undelivered",)
