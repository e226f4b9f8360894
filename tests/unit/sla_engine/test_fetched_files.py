"""What became of a file is told in the conversation and moves nothing else."""

from tests.unit.sla_engine.case import Case, kinds, moment
from ticket_contracts.messages import RemoteFile
from ticket_contracts.tickets import MessageRevised
from ticket_contracts.vocabulary import FileState, MessageKind, Status

STORED = RemoteFile(number=0, name="one.png", state=FileState.STORED)


def test_a_fetched_file_is_recorded_and_touches_neither_clock_nor_status() -> None:
    case = Case()
    case.receive(moment("mon 09:00"), files=(RemoteFile(number=0, name="one.png", locator="1"),))
    case.reply(moment("mon 09:10"))
    case.set_status(Status.PENDING, moment("mon 09:20"))
    clocks = case.ticket.clocks
    facts = case.receive(moment("mon 09:30"), number=2, kind=MessageKind.ATTACHMENT, files=(STORED,))
    assert kinds(facts) == ["message-revised"]
    assert isinstance(facts, list)
    assert isinstance(facts[0], MessageRevised)
    assert facts[0].message.files == (STORED,)
    assert (case.status, case.ticket.clocks) == (Status.PENDING, clocks)


def test_a_file_of_a_closed_ticket_opens_no_follow_up() -> None:
    case = Case()
    case.receive(moment("mon 09:00"))
    case.set_status(Status.CLOSED, moment("mon 09:20"))
    case.receive(moment("mon 09:30"), number=2, kind=MessageKind.ATTACHMENT, files=(STORED,))
    assert case.ticket.successor_id is None
    assert case.status is Status.CLOSED
