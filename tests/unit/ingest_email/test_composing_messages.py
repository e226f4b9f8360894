"""The events that are published: complete, valid, and small enough for Kafka and for those who pass them on."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import pytest

from ingest_email.compose_message import LARGEST_EVENT, compose, compose_unread
from ingest_email.delivery import Delivery, Mailbox
from ingest_email.frames import BrokenFrame, Frame, receive_blocking
from ingest_email.reading_worker import ask, serve
from tests.unit.ingest_email.mails import multipart, raw_mail, read
from ticket_contracts.messages import MessageReceived

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUPPORT = Delivery(Mailbox("support@acme.example", "acme", "support@acme.example", "mail-support"), UUID(int=1), NOON)
SALES = Delivery(Mailbox("sales@acme.example", "acme", "sales@acme.example", "mail-sales"), UUID(int=2), NOON)


def _event(raw: bytes) -> MessageReceived:
    return MessageReceived.model_validate_json(compose(read(raw), raw, [SUPPORT]).messages[0].data)


CUSTOMER = "ann@customer.example"


def test_each_mailbox_has_an_event_of_its_own_and_conversations_of_its_own() -> None:
    raw = raw_mail("References: <root@x>")
    composed = compose(read(raw), raw, [SUPPORT, SALES])
    events = [MessageReceived.model_validate_json(message.data) for message in composed.messages]
    assert [event.source for event in events] == ["mail-support", "mail-sales"]
    assert events[0].identity != events[1].identity
    assert [message.key for message in composed.messages] == [
        "acme/support@acme.example/<root@x>",
        "acme/sales@acme.example/<root@x>",
    ]


def test_a_long_text_is_cut_in_the_event_and_whole_in_storage() -> None:
    raw = raw_mail("Content-Type: text/plain; charset=utf-8", body="漏" * 100_000)
    composed = compose(read(raw), raw, [SUPPORT])
    event = MessageReceived.model_validate_json(composed.messages[0].data)
    assert 0 < len(event.text) < 100_000
    assert event.text_object is not None
    assert composed.files[event.text_object.key].content.decode() == "漏" * 100_000


def test_a_mail_made_of_nothing_but_names_still_fits() -> None:
    names = b", ".join(b'"%b" <r%d@customer.example>' % ("名".encode() * 60, n) for n in range(100))
    files = [
        b"Content-Type: text/csv\r\nContent-ID: <%b@x>\r\n" % (b"i" * 190)
        + b'Content-Disposition: inline; filename="'
        + "😀".encode() * 250
        + b'"\r\n\r\n%d' % n
        for n in range(100)
    ]
    page = b"Content-Type: text/html\r\n\r\n" + b'<img src="cid:%b@x">' % (b"i" * 190)
    kind, body = multipart(b"\r\n" + b'"\n' * 30_000, page, *files)
    raw = raw_mail(b"To: " + names, kind, body=body)
    (message,) = compose(read(raw), raw, [SUPPORT]).messages
    event = MessageReceived.model_validate_json(message.data)
    assert len(message.data) <= LARGEST_EVENT
    assert any("not all" in problem for problem in event.reading_problems)


def test_whatever_fills_a_mail_its_event_leaves_room_for_the_command_and_the_fact() -> None:
    words = '"' * 32_000  # a quote is two bytes of JSON
    text = f"{words}\n\nOn Mon, Nov 23, 2026 at 10:00 AM S <s@acme.example> wrote:\n> {words}"
    unknown = [b"Content-Type: text/plain; charset=x-%d\r\n\r\nx" % number for number in range(400)]
    references = " ".join(f'<{number:03}{"!" * 150}"{"~" * 40}@x>' for number in range(200))
    people = ", ".join(f'"{"😀" * 190}" <{number}{"r" * 150}@customer.example>' for number in range(60))
    kind, body = multipart(b"\r\n" + text.encode(), *unknown)
    headers = (f"References: {references}", f"To: {people}", f"Subject: {'😀' * 1000}", kind)
    raw = raw_mail(*headers, body=body)
    (message,) = compose(read(raw), raw, [SUPPORT]).messages
    assert len(message.data) <= LARGEST_EVENT
    assert len(MessageReceived.model_validate_json(message.data).reading_problems) <= 21


def test_the_same_file_twice_is_stored_once() -> None:
    part = b"Content-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n1,2"
    kind, body = multipart(part, part)
    raw = raw_mail(kind, body=body)
    composed = compose(read(raw), raw, [SUPPORT])
    assert len(composed.files) == 1
    assert len(MessageReceived.model_validate_json(composed.messages[0].data).attachments) == 2


def test_a_mail_that_nothing_could_read_is_an_event_with_its_original_and_the_reason() -> None:
    event = MessageReceived.model_validate_json(compose_unread(b"\x00", SUPPORT, "ann@customer.example", "reason").data)
    assert event.raw is not None
    assert event.sender.value == "ann@customer.example"
    assert event.reading_problems == ("reason",)
    assert not event.may_auto_answer


def test_a_worker_answers_each_question_with_the_events_and_their_files() -> None:
    raw = raw_mail("Content-Type: text/html", body="<p>hi</p>")
    questions = BytesIO(
        Frame({"own_addresses": [], "trusted_server": ""}, ()).pack()
        + ask(raw, "ann@customer.example", [SUPPORT, SALES], headers_only=False).pack()
        + ask(b"", "", [SUPPORT], headers_only=True).pack()
    )
    answers = BytesIO()
    serve(questions, answers)
    answers.seek(0)
    ready, first, second = (receive_blocking(answers) for _ in range(3))
    assert ready is not None
    assert first is not None
    assert second is not None
    assert (len(first.head["keys"]), first.head["media_types"]) == (2, ["text/html; charset=utf-8"])
    assert MessageReceived.model_validate_json(first.blobs[1]).received_at == NOON
    assert len(second.blobs) == 1


def test_a_worker_that_is_introduced_anew_knows_the_addresses_that_are_ours_from_then_on() -> None:
    question = ask(raw_mail(), "ann@customer.example", [SUPPORT], headers_only=False).pack()
    introductions = [Frame({"own_addresses": own, "trusted_server": ""}, ()).pack() for own in ([], [CUSTOMER])]
    answers = BytesIO()
    serve(BytesIO(introductions[0] + question + introductions[1] + question), answers)
    answers.seek(0)
    frames = [receive_blocking(answers) for _ in range(4)]
    events = [MessageReceived.model_validate_json(frame.blobs[0]) for frame in frames if frame and frame.blobs]
    assert [event.may_auto_answer for event in events] == [True, False]  # an answer to ourselves would go round


def test_a_frame_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(BrokenFrame):
        receive_blocking(BytesIO(Frame({}, (b"abc",)).pack()[:-1]))
