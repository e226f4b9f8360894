"""What stands in Postgres can be read by later engines, and is not misread by earlier ones."""

from dataclasses import replace

import pytest

from sla_engine.domain.evolve import BrokenHistory, evolve
from sla_engine.domain.ticket import STATE_FORMAT
from sla_engine.stored_state import NewerState, decode_fact, decode_state, encode_state
from tests.unit.sla_engine.case import Case, moment


def a_case() -> Case:
    case = Case()
    case.receive(moment("mon 10:00"))
    case.reply(moment("mon 10:20"))
    return case


def test_a_state_of_a_newer_format_is_not_read() -> None:
    newer = replace(a_case().ticket, format=STATE_FORMAT + 1)
    with pytest.raises(NewerState, match=f"format {STATE_FORMAT + 1}"):
        decode_state(encode_state(newer))


def test_facts_without_fields_that_were_added_later_are_read() -> None:
    opened = a_case().facts[0].model_dump(mode="json", exclude_none=True)
    for later in ("kind", "provider_id", "quoted_text"):
        del opened["message"][later]
    for clock in opened["clocks"]:
        del clock["used_microseconds"]
    fact = a_case().facts[0].model_validate(opened)
    assert evolve(None, fact).clocks == evolve(None, a_case().facts[0]).clocks


def test_a_fact_of_an_unknown_type_moves_version_and_summary() -> None:
    case = a_case()
    last = case.facts[-1].model_copy(update={"version": case.ticket.version + 1})
    unknown = decode_fact("firebreak.ticket.snoozed.v1", last.encode())
    assert evolve(case.ticket, unknown) == replace(case.ticket, version=last.version)


def test_a_fact_that_does_not_follow_is_a_broken_history() -> None:
    case = a_case()
    with pytest.raises(BrokenHistory):
        evolve(case.ticket, case.facts[1])
    with pytest.raises(BrokenHistory):
        evolve(None, case.facts[1])
    with pytest.raises(BrokenHistory):
        evolve(case.ticket, case.facts[0])
