"""What a caller may write in a command, and what becomes of the longest."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from crm_api.command_request import CommandRequest
from crm_api.requests import CommandEnvelope
from ticket_contracts.commands import Actor, Command, Reply
from ticket_contracts.exchanges import FollowUp
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_contracts.vocabulary import ActorKind, Priority

REQUESTS: TypeAdapter[CommandRequest] = TypeAdapter(CommandRequest)
# What a fact says besides the text that it took over from the command: the ticket's summary, its subject of 1,000
# characters, the actor.
ROOM_OF_A_FACT = 16 * 1024


def command(body: object) -> Command:
    envelope = CommandEnvelope(
        ticket_id=UUID(int=1),
        actor=Actor(kind=ActorKind.AGENT, id="张" * 200, name="张" * 200),
        not_after=datetime(2026, 11, 23, tzinfo=UTC),
        expected_version=7,
    )
    return REQUESTS.validate_python(body).command(envelope)


@pytest.mark.parametrize("character", ["a", "字", "😀", '"', "\\", "\n", "\u2028", "\u0085"])
def test_the_longest_text_fits_an_event_in_any_script(character: str) -> None:
    text = "a" + character * 59_999
    assert len(command({"type": "note", "text": text}).encode()) < MAX_EVENT_BYTES - ROOM_OF_A_FACT


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t", "\u3000", "a\x00", "a\x01", "\x1b[2J", "a\x7f", "\ud800", "a" * 60_001]
)
def test_text_that_cannot_be_kept_or_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        command({"type": "reply", "text": text})


def test_a_field_s_text_is_refused_by_its_place_when_it_is_longer_than_events_carry() -> None:
    assert command({"type": "fields", "fields": {"note": "字" * 4000}})
    with pytest.raises(ValidationError) as refusal:
        REQUESTS.validate_python({"type": "fields", "fields": {"note": "字" * 4001}})
    assert {problem["loc"][:3] for problem in refusal.value.errors()} == {("fields", "fields", "note")}


@pytest.mark.parametrize("text", ["x", "一行\r\n二行\tX", " indented", "👩‍🔧"])
def test_what_people_write_is_taken_as_it_is(text: str) -> None:
    assert REQUESTS.validate_python({"type": "reply", "text": text}).text == text  # type: ignore[union-attr]


@pytest.mark.parametrize("provider_id", ["wamid.HBgNODYx==", "<1@acme.example>", "o", "字 " * 499 + "字", "😀" * 1000])
def test_an_answer_takes_the_id_of_any_channel_and_still_fits_an_event(provider_id: str) -> None:
    asked = command({"type": "reply", "text": "😀" * 60_000, "provider_id": provider_id})
    assert isinstance(asked, Reply)
    assert asked.provider_id == provider_id
    assert len(asked.encode()) < MAX_EVENT_BYTES - ROOM_OF_A_FACT


@pytest.mark.parametrize("provider_id", ["", " ", " 1", "1 ", "a\nb", "a\x00", "\ud800", "1" * 1001, 7])
def test_what_cannot_be_the_id_of_a_message_is_refused(provider_id: object) -> None:
    with pytest.raises(ValidationError):
        command({"type": "reply", "text": "on its way", "provider_id": provider_id})


@pytest.mark.parametrize("name", ["", " ", " safety", "safety ", "a\nb", "a\x00", "字" * 101])
def test_a_name_that_only_looks_like_another_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        command({"type": "assign", "team": name})


@pytest.mark.parametrize("name", ["a", "after-sales", "售后 二组", "字" * 100])
def test_names_of_teams_are_taken_as_they_are(name: str) -> None:
    assert REQUESTS.validate_python({"type": "assign", "team": name}).team == name  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "until",
    [
        5,
        1.5,
        True,
        "5",
        "1764000000",
        "tomorrow",
        "2026-11-23",
        "2026-11-23T09:00:00",
        "1969-12-31T23:59:59Z",
        "9000-01-01T00:00:00Z",
        "\uff12026-11-23T09:00:00Z",
        "2026-11-23T09:",
        "2026-11-23T09:00:00Z\n",
        [],
        {},
    ],
)
def test_a_time_is_written_out_with_its_offset_and_is_no_number(until: object) -> None:
    with pytest.raises(ValidationError):
        command({"type": "snooze", "until": until})


@pytest.mark.parametrize("until", ["2026-11-23T09:00:00+08:00", "2026-11-23 09:00:00z", "8999-12-31T23:59:59Z"])
def test_a_time_of_rfc_3339_is_taken(until: str) -> None:
    assert command({"type": "snooze", "until": until})


FOLLOW_UP = {"type": "follow-up", "text": "它又漏水了", "public": False}
MISSED = {"direction": "inbound", "answered": False, "started_at": "2026-11-23T09:00:00+08:00"}


def test_a_follow_up_says_what_the_closed_ticket_does_not_and_the_same_wish_is_the_same_command() -> None:
    found = command({**FOLLOW_UP, "call": MISSED, "team": "service", "priority": "urgent"})
    assert isinstance(found, FollowUp)
    assert (found.text, found.public, found.subject, found.team) == ("它又漏水了", False, "", "service")
    assert found.call is not None
    assert (found.call.answered, found.priority) == (False, Priority.URGENT)
    assert command(FOLLOW_UP).fingerprint() == command({**FOLLOW_UP, "call": None}).fingerprint()
    assert command(FOLLOW_UP).fingerprint() != command({**FOLLOW_UP, "public": True}).fingerprint()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"public": None}, "public"),
        ({"public": True, "call": MISSED}, "noted in private"),
        ({"text": "字" * 40_001}, "text"),
        ({"text": " "}, "text"),
        ({"subject": ""}, "subject"),
        ({"tags": ["a"]}, "tags"),
    ],
)
def test_a_follow_up_is_refused_by_its_field(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        command({**FOLLOW_UP, **changes})
