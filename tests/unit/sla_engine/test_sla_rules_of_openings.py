"""Rules 7 and 8 of the SLA semantics: tickets that an agent opens, and what opening one twice does."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla_engine.domain.evolve import evolve
from sla_engine.domain.request import Rejected
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.what_if import replay
from sla_engine.domain.workflow import FieldType, Workflow
from sla_engine.stored_state import decode_fact, decode_state, encode_state
from tests.unit.sla_engine.case import MACHINE, Case, a_policy, kinds, moment, policies_of
from tests.unit.sla_engine.test_sla_rule_49_replay import START, Script, live, steps
from ticket_contracts.messages import CallRecord, Party
from ticket_contracts.openings import OpenTicket, opened_ticket_id
from ticket_contracts.tickets import ClockState, TicketOpened
from ticket_contracts.vocabulary import Channel, ClockStatus, IdentityKind, Metric, Priority, Status

WITH_NEXT = a_policy(
    targets={
        **a_policy().targets,
        Metric.NEXT_RESPONSE: {Priority.NORMAL: 2 * 3600},
        Metric.UPDATE: {Priority.NORMAL: 4 * 3600},
    }
)


def a_call(called_at: datetime, *, answered: bool, direction: str = "inbound") -> CallRecord:
    return CallRecord(
        call_id="noted",
        direction=direction,
        answered=answered,
        caller="+8613800000000",
        callee="+864000000000",
        started_at=called_at,
        seconds=60 if answered else 0,
    )


def told(clocks: tuple[ClockState, ...]) -> list[dict[str, object]]:
    return [clock.model_dump(exclude={"causes"}) for clock in clocks]


def test_rule_07_opened_by_an_agent_with_a_public_message_it_starts_no_clock_and_is_open() -> None:
    case = Case(policies_of(WITH_NEXT))
    assert kinds(case.open_by_agent(moment("mon 10:00"))) == ["opened"]
    assert (case.ticket.clocks, case.status) == ((), Status.OPEN)
    assert case.ticket.no_clock_reason == "no customer has written yet: an agent opened the ticket"


def test_rule_07_first_response_is_met_by_the_next_public_agent_message_after_a_customer_s() -> None:
    case = Case(policies_of(WITH_NEXT))
    case.open_by_agent(moment("mon 10:00"))
    case.reply(moment("mon 10:30"))
    assert case.ticket.clocks == ()
    case.receive(moment("mon 11:00"))
    assert (case.clock().started_at, case.clock().due_at) == (moment("mon 11:00"), moment("mon 12:00"))
    assert case.resolution.started_at == moment("mon 11:00")
    assert list(case.ticket.of_metric(Metric.NEXT_RESPONSE)) == []
    case.note(moment("mon 11:10"))
    assert case.clock().status is ClockStatus.RUNNING
    case.reply(moment("mon 11:20"))
    assert (case.clock().status, case.clock().stopped_at) == (ClockStatus.MET, moment("mon 11:20"))


def test_rule_07_a_customer_s_message_dated_before_the_agent_s_is_answered_by_it_for_the_next_response() -> None:
    case = Case(policies_of(WITH_NEXT))
    case.open_by_agent(moment("mon 10:00"))
    assert case.ticket.last_answered_at == moment("mon 10:00")
    case.receive(moment("mon 09:50"))
    assert case.ticket.unanswered_since is None


def test_rule_08_opened_with_a_private_note_the_clock_starts_at_the_customer_s_first_message() -> None:
    case = Case()
    case.open_by_agent(moment("mon 10:00"), public=False)
    (opened,) = case.facts
    assert isinstance(opened, TicketOpened)
    assert (opened.message.public, opened.clocks) == (False, ())
    assert case.ticket.last_answered_at is None
    case.receive(moment("mon 14:00"))
    assert case.clock().started_at == case.resolution.started_at == moment("mon 14:00")


def test_rule_08_a_noted_call_that_an_agent_took_starts_first_response_only_with_the_first_message() -> None:
    case = Case()
    call = a_call(moment("mon 09:50"), answered=True)
    case.open_by_agent(moment("mon 10:00"), public=False, channel=Channel.PHONE, call=call)
    assert list(case.ticket.of_metric(Metric.FIRST_RESPONSE)) == []
    assert case.resolution.started_at == moment("mon 10:00")
    case.receive(moment("mon 14:00"))
    assert case.clock().started_at == moment("mon 14:00")


def test_rule_08_a_noted_call_that_was_missed_is_a_customer_message_of_the_time_of_the_call() -> None:
    case = Case()
    call = a_call(moment("mon 09:20"), answered=False)
    case.open_by_agent(moment("mon 10:00"), public=False, channel=Channel.PHONE, call=call)
    assert (case.clock().started_at, case.clock().due_at) == (moment("mon 09:20"), moment("mon 10:20"))
    assert case.ticket.unanswered_since == moment("mon 09:20")
    case.reply(moment("mon 10:10"))
    assert case.clock().status is ClockStatus.MET


@pytest.mark.parametrize(
    "dated", [datetime.fromisoformat("0001-01-01T00:00:00+14:00"), moment("mon 23:00")], ids=["long ago", "later"]
)
def test_rule_08_a_missed_call_dated_out_of_all_reason_counts_from_its_note(dated: datetime) -> None:
    case = Case()
    case.open_by_agent(moment("mon 10:00"), public=False, call=a_call(dated, answered=False))
    assert case.clock().started_at == moment("mon 10:00")


def test_rule_08_an_outbound_call_that_nobody_took_is_no_customer_message() -> None:
    case = Case()
    call = a_call(moment("mon 09:50"), answered=False, direction="outbound")
    case.open_by_agent(moment("mon 10:00"), public=False, call=call)
    assert case.ticket.clocks == ()


def test_rule_04_a_public_opening_by_a_machine_is_no_answer() -> None:
    case = Case()
    case.open_by_agent(moment("mon 10:00"), actor=MACHINE)
    assert case.ticket.last_answered_at is None


def test_rule_48_what_if_and_rebuild_read_a_ticket_that_an_agent_opened() -> None:
    case = Case(policies_of(WITH_NEXT))
    call = a_call(moment("mon 09:20"), answered=False)
    case.open_by_agent(moment("mon 10:00"), public=False, channel=Channel.PHONE, call=call)
    case.reply(moment("mon 10:10"))
    case.receive(moment("mon 10:30"), 2)
    ticket: Ticket = replay(case.facts, case.policies, moment("mon 10:30"))
    assert told(ticket.clocks) == told(case.ticket.clocks)


def test_the_same_command_opens_a_ticket_once_and_another_is_refused() -> None:
    case = Case()
    case.open_by_agent(moment("mon 10:00"), "open-1")
    again = case.open_by_agent(moment("mon 10:01"), "open-1")
    other = case.open_by_agent(moment("mon 10:02"), "open-2")
    assert isinstance(again, Rejected)
    assert isinstance(other, Rejected)
    assert (again.outcome, other.outcome) == ("no-op", "rejected")
    assert len(case.facts) == 1


def test_what_the_agent_said_of_the_ticket_stands_in_its_opening() -> None:
    case = Case(replace(policies_of(a_policy()), workflow=Workflow(fields={"serial": FieldType("text")})))
    case.open_by_agent(moment("mon 10:00"), tags=("vip", "vip"), fields={"serial": "P-7"}, assignee="li.wei")
    summary = case.ticket.summary
    assert (summary.tags, summary.fields, summary.assignee) == (("vip",), {"serial": "P-7"}, "li.wei")
    assert (summary.brand, summary.subject, summary.number) == ("acme", "Your pump", 1001)


def test_a_field_that_does_not_exist_or_content_that_is_too_large_opens_nothing() -> None:
    case = Case(replace(policies_of(a_policy()), workflow=Workflow(fields={"serial": FieldType("text")})))
    unknown = case.open_by_agent(moment("mon 10:00"), fields={"colour": "red"})
    assert isinstance(unknown, Rejected)
    assert "fields.colour" in unknown.reason
    many = {f"f{number}": "x" * 4000 for number in range(10)}
    case.policies = replace(case.policies, workflow=Workflow(fields={name: FieldType("text") for name in many}))
    too_large = case.open_by_agent(moment("mon 10:00"), fields=many)
    assert isinstance(too_large, Rejected)
    assert "at most" in too_large.reason
    assert case.stored is None


def test_a_retry_that_finds_the_contact_made_known_is_the_same_command() -> None:
    case = Case()
    case.open_by_agent(moment("mon 10:00"))
    command = case.requests[0].command
    assert isinstance(command, OpenTicket)
    later = {"contact_id": UUID(int=7), "not_after": moment("mon 10:00") + timedelta(minutes=1)}
    assert command.model_copy(update=later).fingerprint() == command.fingerprint()
    assert command.model_copy(update={"text": "Other words"}).fingerprint() != command.fingerprint()
    asked = command.model_copy(update={"asked": "a" * 64})
    renamed = Party(kind=IdentityKind.PHONE, value="+8613800000000", name="Wang Fang")
    assert asked.model_copy(update={**later, "contact": renamed}).fingerprint() == asked.fingerprint()
    assert asked.model_copy(update={"asked": "b" * 64}).fingerprint() != asked.fingerprint()
    assert opened_ticket_id(UUID(int=1)) == opened_ticket_id(UUID(int=1)) != opened_ticket_id(UUID(int=2))


@settings(max_examples=40)
@given(steps, st.sampled_from([True, False]))
def test_rule_49_a_ticket_that_an_agent_opened_is_the_fold_and_the_replay_of_its_facts(
    script: Script, public: bool
) -> None:
    case = live(script, by_agent={"public": public})
    replayed: Ticket | None = None
    for fact in case.facts:
        replayed = evolve(replayed, decode_fact(fact.event_type, fact.encode()))
    assert replayed == case.ticket
    assert decode_state(encode_state(case.ticket)) == case.ticket
    assert told(replay(case.facts, case.policies, START + timedelta(days=90)).clocks) == told(case.ticket.clocks)
