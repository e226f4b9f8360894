"""The words of a scenario's steps as commands."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from tests.support.sla_scenarios.scenario import EDIT, TIME_PASSES, Scenario, Step, Times
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, a_message
from ticket_contracts.actions import MarkSpam
from ticket_contracts.commands import (
    AddNote,
    Assign,
    Command,
    ReceiveMessage,
    Reply,
    Routing,
    SetPriority,
    SetStatus,
)
from ticket_contracts.exchanges import FollowUp, LinkTickets, Merge
from ticket_contracts.messages import CallRecord, Party
from ticket_contracts.openings import OpenTicket
from ticket_contracts.upkeep import HistoricMessage, HistoricStep, ImportTicket, Recalculate, Reevaluate
from ticket_contracts.vocabulary import Automation, Channel, IdentityKind, LinkKind, Priority, Status

COLLEAGUE_ID = UUID("01900000-0000-7000-8000-0000000000dd")
"""Somebody else on the customer's side."""


@dataclass(frozen=True)
class Asked:
    """A command, and when the broker appended it."""

    id: str
    at: datetime
    command: Command


@dataclass
class Phase:
    """What is in the log before anybody reads it. `edits` says whether the configuration was edited just before."""

    edits: bool = False
    asked: list[Asked] = field(default_factory=list)


def phases(scenario: Scenario, times: Times) -> list[Phase]:
    """Cut the scenario where time passes or somebody edits."""
    found = [Phase()]
    for number, step in enumerate(scenario.steps):
        if step in (TIME_PASSES, EDIT):
            found.append(Phase(edits=step == EDIT))
        else:
            found[-1].asked.append(_asked(scenario, times, number, step))
    return found


def _asked(scenario: Scenario, times: Times, number: int, step: Step) -> Asked:
    when, who, what, ticket = (*step, "")[:4]
    at, ticket_id = times.at(when), scenario.ticket_id(ticket)
    if who in ("customer", "colleague"):
        command: Command = _said(scenario, ticket_id, times, number, at, who, what)
    elif what == "calls the customer":
        command = _said(scenario, ticket_id, times, number, at, "customer", "is called")
    elif what.startswith("opens with "):
        command = _opened(scenario, ticket_id, public=what == "opens with a message")
    elif what == "imports the ticket":
        command = _imported(scenario, ticket_id, times, at)
    else:
        command = _wish(scenario, ticket_id, who, what.split())
    return Asked(str(uuid5(ticket_id, f"step {number}")), at, command)


def _said(
    scenario: Scenario, ticket_id: UUID, times: Times, number: int, at: datetime, who: str, what: str
) -> ReceiveMessage:
    words, _, detail = what.partition(", ")
    content: dict[str, Any] = {"message_id": uuid5(ticket_id, f"message {number}")}
    priority: Priority | None = Priority.NORMAL
    match detail.split():
        case ["sent", *sent]:
            content |= {"sent_at": times.at(" ".join(sent)), "time_trusted": True}
        case ["priority", name]:
            priority = None if name == "none" else Priority(name)
    match words:
        case "answers automatically":
            content["automation"] = Automation.AUTOMATIC_ANSWER
        case "bounces":
            content["automation"] = Automation.BOUNCE
        case "calls and is heard":
            content |= {"channel": Channel.PHONE, "call": _call(at, "inbound", answered=True)}
        case "calls and nobody answers":
            content |= {"channel": Channel.PHONE, "call": _call(at, "inbound", answered=False)}
        case "is called":
            content |= {"channel": Channel.PHONE, "call": _call(at, "outbound", answered=True)}
        case _:
            assert words == "writes", words
    return ReceiveMessage(
        ticket_id=ticket_id,
        actor=MACHINE,
        message=a_message(at, number, **content),
        contact_id=COLLEAGUE_ID if who == "colleague" else CUSTOMER_ID,
        routing=Routing(team="service", priority=priority, tags=(scenario.name,), spam=detail == "as spam"),
    )


def _call(at: datetime, direction: str, *, answered: bool) -> CallRecord:
    return CallRecord(
        call_id="c1",
        direction=direction,
        answered=answered,
        caller="+8613800000000",
        callee="+864000000000",
        started_at=at,
        seconds=60 if answered else 0,
    )


def _wish(scenario: Scenario, ticket_id: UUID, who: str, what: list[str]) -> Command:
    asked: dict[str, Any] = {"ticket_id": ticket_id, "actor": AGENT if who == "agent" else MACHINE}
    match what:
        case ["replies"]:
            return Reply(text="We look into it", **asked)
        case ["replies", "by", "template"]:
            return Reply(text="We have got your message", author="machine", **asked)
        case ["notes"]:
            return AddNote(text="Ask the workshop", **asked)
        case ["sets", "priority", priority]:
            return SetPriority(priority=Priority(priority), **asked)
        case ["sets", status]:
            return SetStatus(status=Status(status), **asked)
        case ["hands", "to", team]:
            return Assign(team=team, **asked)
        case ["marks", "spam"]:
            return MarkSpam(spam=True, **asked)
        case ["merges", "into", *other]:
            return Merge(target_id=scenario.ticket_id(" ".join(other).removeprefix("first")), **asked)
        case ["names", "the", "problem", other]:
            return LinkTickets(other_id=scenario.ticket_id(other), kind=LinkKind.PROBLEM, **asked)
        case ["follows", "up"]:
            return FollowUp(text="We would like to hear how it runs now", public=True, **asked)
        case ["reevaluates"]:
            return Reevaluate(run_id="run-1", **asked)
        case ["recalculates"]:
            return Recalculate(run_id="run-2", calendars=(scenario.name,), **asked)
    raise AssertionError(f"nobody can do this in a scenario: {' '.join(what)}")


def _opened(scenario: Scenario, ticket_id: UUID, *, public: bool) -> OpenTicket:
    return OpenTicket(
        ticket_id=ticket_id,
        actor=AGENT,
        brand="acme",
        channel=Channel.EMAIL,
        contact_id=CUSTOMER_ID,
        contact=Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
        text="We would like to look at your pump",
        public=public,
        team="service",
        priority=Priority.NORMAL,
        tags=(scenario.name,),
    )


def _imported(scenario: Scenario, ticket_id: UUID, times: Times, at: datetime) -> ImportTicket:
    opened, *steps = scenario.history
    return ImportTicket(
        ticket_id=ticket_id,
        actor=MACHINE,
        origin="old desk",
        external_id=scenario.name,
        brand="acme",
        channel=Channel.EMAIL,
        contact_id=CUSTOMER_ID,
        contact=Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
        team="service",
        priority=Priority.NORMAL,
        tags=(scenario.name,),
        opened_at=times.at(opened[0]),
        steps=tuple(_historic(times, step) for step in steps),
    )


def _historic(times: Times, step: Step) -> HistoricStep:
    when, _, what = step
    match what.split():
        case ["replies"]:
            return HistoricStep(at=times.at(when), actor="li.wei", message=HistoricMessage(agent="li.wei", text="Done"))
        case ["sets", status]:
            return HistoricStep(at=times.at(when), actor="li.wei", status=Status(status))
    raise AssertionError(f"nobody can have done this: {what}")


def asked_of(found: list[Phase]) -> Iterator[Asked]:
    """Yield all commands of a scenario, in order."""
    for phase in found:
        yield from phase.asked
