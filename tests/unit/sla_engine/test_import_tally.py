"""What `firebreak import` counts: lines by what became of their tickets."""

import io

import pytest

from sla_engine.commands import import_lines
from sla_engine.commands.import_lines import Line, LineRefused, count_tickets, import_id, read_tickets
from sla_engine.commands.import_tally import MOST_SHOWN, Outcome, Tally
from tests.unit.sla_engine.test_sla_rule_47_import import a_ticket
from ticket_contracts.upkeep import ImportTicket

APPLIED = Outcome("applied", "")
THERE = Outcome("no-op", "this ticket was imported before")
REFUSED = Outcome("rejected", "steps.0: a ticket that is closed cannot become open")


def lines(*subjects: str) -> list[Line]:
    return [Line(number, a_ticket(subject=subject)) for number, subject in enumerate(subjects, start=1)]


def id_of(line: Line) -> str:
    return str(import_id(line.command))


def test_every_line_is_counted_by_what_became_of_it_and_the_rest_waits() -> None:
    one, two, three, four = part = lines("seal", "pump", "hose", "tap")
    tally = Tally()
    tally.begin(part, {})
    tally.settle({id_of(one): APPLIED, id_of(two): THERE, id_of(three): REFUSED})
    assert (tally.imported, tally.there, tally.refused, tally.known) == (1, 1, 1, 3)
    assert tally.refusals == [(3, REFUSED.reason)]
    assert tally.waiting == {id_of(four): [4]}
    assert list(tally.unsent) == [id_of(four)]


def test_what_was_decided_before_the_run_is_not_sent_again_and_counts_as_there_or_with_its_old_refusal() -> None:
    one, two = part = lines("seal", "pump")
    tally = Tally()
    tally.begin(part, {id_of(one): APPLIED, id_of(two): REFUSED})
    assert (tally.imported, tally.there, tally.refused) == (0, 1, 1)
    assert not tally.waiting
    assert not tally.unsent


def test_of_two_lines_that_are_the_same_the_second_was_there_already_or_is_refused_like_the_first() -> None:
    for outcome, counts in ((APPLIED, (1, 1, 0)), (REFUSED, (0, 0, 2))):
        part = lines("seal", "seal")
        tally = Tally()
        tally.begin(part, {})
        assert len(tally.unsent) == 1
        tally.settle({id_of(part[0]): outcome})
        assert (tally.imported, tally.there, tally.refused) == counts


def test_a_given_up_command_is_refused_and_only_the_first_refusals_are_kept() -> None:
    part = lines(*map(str, range(MOST_SHOWN + 5)))
    tally = Tally()
    tally.begin(part, {})
    tally.settle({id_of(line): Outcome("failed", "") for line in part})
    assert tally.refused == MOST_SHOWN + 5
    assert len(tally.refusals) == MOST_SHOWN
    assert tally.refusals[0] == (1, "failed")


def test_a_corrected_line_is_another_command_and_the_same_line_the_same() -> None:
    assert import_id(a_ticket(subject="seal")) == import_id(a_ticket(subject="seal"))
    assert import_id(a_ticket(subject="seal")) != import_id(a_ticket(subject="pump"))


def a_line(command: ImportTicket) -> bytes:
    return command.model_dump_json(exclude={"ticket_id", "actor"}, exclude_none=True).encode() + b"\n"


def test_a_file_that_changed_between_its_check_and_its_import_is_told_of() -> None:
    source = io.BytesIO(a_line(a_ticket()) + b"\n" + a_line(a_ticket()))
    assert count_tickets(source) == 2
    assert [line.number for line in read_tickets(source)] == [1, 3]
    source = io.BytesIO(a_line(a_ticket()) + b"{}\n")
    with pytest.raises(LineRefused, match="the file changed while it was read: line 2: origin"):
        list(read_tickets(source))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_lines, "MOST_LINE_BYTES", 2000)
    with pytest.raises(LineRefused, match="line 2: it is longer than 2000 bytes"):
        count_tickets(io.BytesIO(a_line(a_ticket()) + b" " * 5000))
