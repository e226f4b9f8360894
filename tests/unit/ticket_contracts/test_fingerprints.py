"""A retry is recognised by every version: what is stored with an outcome outlives an upgrade."""

from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from pydantic import create_model

from crm_api.opening_requests import NewTicket
from ticket_contracts.actions import ChangeTags, SetFields
from ticket_contracts.commands import Actor, Command, Reply, SetStatus
from ticket_contracts.openings import OpenTicket, asked_fingerprint
from ticket_contracts.vocabulary import ActorKind, Channel, Status

TICKET = UUID("01940000-0000-7000-8000-000000000001")
ACTOR = Actor(kind=ActorKind.AGENT, id="li", name="李")
ASKED: dict[str, Any] = {"ticket_id": TICKET, "actor": ACTOR}
BODY: dict[str, Any] = {
    "brand": "acme",
    "channel": "phone",
    "contact": {"phone": "+8613800000000", "name": "王女士"},
    "subject": "The pump leaks",
    "text": "她会发一张图片",
    "public": False,
    "team": "service",
    "call": {"direction": "inbound", "answered": False, "started_at": "2026-11-23T09:20:00+08:00"},
}
OPENING = OpenTicket(
    **ASKED,
    brand="acme",
    channel=Channel.PHONE,
    contact_id=UUID(int=2),
    contact={"kind": "phone", "value": "+8613800000000"},
    text="She calls again",
    public=False,
    team="service",
)
WHO = '{"actor":{"id":"li","kind":"agent","name":"李"}'
WHERE = f'"ticket_id":"{TICKET}"}}'
STORED: list[tuple[Command, str]] = [
    (SetStatus(**ASKED, status=Status.SOLVED), f'set-status.v1\n{WHO},"status":"solved",{WHERE}'),
    (Reply(**ASKED, text="您好"), f'reply.v1\n{WHO},"text":"您好",{WHERE}'),
    (ChangeTags(**ASKED, add=("vip",)), f'change-tags.v1\n{WHO},"add":["vip"],{WHERE}'),
    (
        SetFields(**ASKED, fields={"serial": None, "floor": 3}),
        f'set-fields.v1\n{WHO},"fields":{{"floor":3,"serial":null}},{WHERE}',
    ),
    (
        OPENING,
        f'open-ticket.v1\n{WHO},"brand":"acme","channel":"phone","contact":{{"kind":"phone","value":"+8613800000000"}},'
        f'"public":false,"team":"service","text":"She calls again",{WHERE}',
    ),
]
"""Commands, and of what release 0.1.0 stores the SHA-256 for them."""

IN_FRONT = {"added": (str, "normal"), "switched": (bool, False), "many": (tuple[str, ...], ())}
"""What a later version may add: fields with defaults, before the others too."""


def later(model: type[Any], **others: Any) -> Any:
    """The model as a later version may write it: fields added, and the known ones in another order."""
    known = {name: (field.annotation, field) for name, field in reversed(model.model_fields.items())}
    made = create_model(f"Later{model.__name__}", __base__=model.__base__, **{**IN_FRONT, **known, **others})
    for name in ("event_type", "fingerprint", "digest"):
        if hasattr(model, name):
            setattr(made, name, model.__dict__.get(name, getattr(model, name)))
    return made


@pytest.mark.parametrize(("command", "stored"), STORED, ids=lambda each: type(each).__name__)
def test_what_an_earlier_version_stored_is_what_a_retry_is_compared_with(command: Command, stored: str) -> None:
    assert command.fingerprint() == sha256(f"firebreak.command.{stored}".encode()).digest()


@pytest.mark.parametrize("command", [command for command, _ in STORED], ids=lambda each: type(each).__name__)
def test_a_version_with_more_fields_knows_the_same_command_again(command: Command) -> None:
    newer = later(type(command), actor=(later(Actor), ...))
    read = newer.model_validate_json(command.encode())
    assert list(read.model_dump()) != list(command.model_dump())
    assert read.fingerprint() == command.fingerprint()
    assert newer(**{**dict(read), "added": "other"}).fingerprint() != command.fingerprint()


def test_a_version_with_more_fields_knows_a_request_to_open_a_ticket_again() -> None:
    digest = NewTicket.model_validate(BODY).digest()
    assert digest == "a32cd6f30f920f23044df6f8a8feb4cf0c62539c10266bbe392d4ab1fa8ca3b9"
    call = later(NewTicket.model_fields["call"].annotation.__args__[0])  # type: ignore[union-attr]
    newer = later(NewTicket, call=(call | None, None))
    assert newer.model_validate(BODY).digest() == digest
    assert newer.model_validate({**BODY, "tags": []}).digest() == digest  # a default that is written out
    assert newer.model_validate({**BODY, "switched": True}).digest() != digest


def test_the_engine_of_one_version_and_the_service_of_another_agree_on_an_opening() -> None:
    digest = NewTicket.model_validate(BODY).digest()
    opening = later(OpenTicket).model_validate_json(OPENING.model_copy(update={"asked": digest}).encode())
    stored = opening.fingerprint()
    assert stored.hex() == "1ac3a2efb426622a42b562a72b83cb09e97ff6c659dd2d482dce0c9b360de6ff"
    assert asked_fingerprint(TICKET, later(Actor)(**dict(ACTOR)), digest) == stored
