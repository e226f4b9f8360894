"""What a caller may write to open a ticket."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from crm_api.open_ticket import MOST_OPENING_BYTES
from crm_api.opening_requests import NewTicket, Whom
from crm_api.read_links import relations_of
from crm_api.requests import CommandEnvelope
from crm_api.responses import Relation
from sla_engine.domain.agent_opening import open_by_agent
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Request
from sla_engine.domain.workflow import FieldType, Workflow
from ticket_contracts.commands import Actor
from ticket_contracts.messages import Party
from ticket_contracts.openings import OpenTicket
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.vocabulary import ActorKind, IdentityKind, LinkKind

BODY: dict[str, Any] = {
    "brand": "acme",
    "channel": "phone",
    "contact": {"phone": "+8613800000000"},
    "subject": "The pump leaks",
    "text": "She will send a picture",
    "public": False,
    "team": "service",
}
COMMAND_ID = UUID(int=5)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def command(**changes: Any) -> OpenTicket:
    envelope = CommandEnvelope(
        ticket_id=UUID(int=1),
        actor=Actor(kind=ActorKind.AGENT, id="张" * 200, name="张" * 200),
        not_after=NOON,
        expected_version=None,
    )
    contact = Party(kind=IdentityKind.PHONE, value="+8613800000000", name="字" * 100)
    return NewTicket.model_validate({**BODY, **changes}).command(envelope, COMMAND_ID, UUID(int=2), contact)


@pytest.mark.parametrize(
    "contact",
    [
        {},
        {"name": "Wang"},
        {"email": "wang@customer.example", "phone": "+8613800000000"},
        {"contact_id": str(UUID(int=1)), "name": "Wang"},
        {"phone": "13800000000"},
        {"phone": "+86 138 0000 0000"},
        {"email": "wang"},
        {"email": "wang @customer.example"},
        {"email": "wang@customer.example", "fax": "1"},
    ],
    ids=str,
)
def test_whom_a_ticket_is_about_is_said_once_and_in_one_spelling(contact: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Whom.model_validate(contact)


def test_addresses_are_compared_without_case_and_numbers_as_they_are() -> None:
    assert Whom(email="Wang@Customer.example").identity == (IdentityKind.EMAIL, "wang@customer.example")
    assert Whom(phone="+8613800000000").identity == (IdentityKind.PHONE, "+8613800000000")
    assert Whom(contact_id=UUID(int=1)).identity is None


def test_a_call_is_noted_in_private_and_says_who_called_whom() -> None:
    call = {"direction": "inbound", "answered": False, "started_at": "2026-11-23T11:00:00Z"}
    noted = command(call=call).call
    assert noted is not None
    assert (noted.caller, noted.callee, noted.call_id) == ("+8613800000000", "", str(COMMAND_ID))
    outbound = command(call={**call, "direction": "outbound"}).call
    assert outbound is not None
    assert (outbound.caller, outbound.callee) == ("", "+8613800000000")
    with pytest.raises(ValidationError, match="noted in private"):
        command(call=call, public=True)


@pytest.mark.parametrize("character", ["a", "字", "😀", "\n"])
def test_the_fact_of_the_largest_ticket_that_is_let_through_fits_an_event(character: str) -> None:
    tags = tuple(f"{number:02d}{character.strip() * 97}." for number in range(15))
    large = {"tags": tags, "fields": {"serial": "a" + character * 3999}, "subject": "a" + character * 999}
    asked = next(
        found
        for size in range(59_999, 0, -1000)
        if len((found := command(text="a" + character * size, **large)).encode()) <= MOST_OPENING_BYTES
    )
    policies = Policies(workflow=Workflow(fields={"serial": FieldType("text")}))
    decided = open_by_agent(Request(str(COMMAND_ID), asked, NOON, number=1001), asked, policies)
    assert isinstance(decided, list), decided
    assert len(decided[0].encode()) < MAX_EVENT_BYTES


def test_a_state_tells_every_relation_to_other_tickets() -> None:
    one, two, three, four, five = (str(UUID(int=number)) for number in range(1, 6))
    state = {
        "summary": {},
        "links": [[one, "problem"], [two, "related"]],
        "absorbed": [[three, "merge"]],
        "successor_id": four,
        "previous_ticket_id": five,
    }
    found = relations_of(state)
    assert [found[UUID(each)] for each in (one, two, three, four, five)] == [
        [Relation.PROBLEM],
        [Relation.RELATED],
        [Relation.MERGED_FROM],
        [Relation.FOLLOWED_BY],
        [Relation.FOLLOWS],
    ]
    merged = relations_of({"summary": {"merged_into": one}, "successor_id": one})
    assert merged == {UUID(one): [Relation.MERGED_INTO]}
    assert {Relation(kind) for kind in LinkKind} < set(Relation)
