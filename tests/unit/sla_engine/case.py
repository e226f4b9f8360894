"""One ticket under test: commands at stated times, the facts that came of them, the clocks as they stand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from business_time.calendar import BusinessCalendar, OpeningHours
from sla_engine.domain.decide import decide, decide_due
from sla_engine.domain.evolve import evolve
from sla_engine.domain.people import People
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.request import Rejected, Request
from sla_engine.domain.ticket import Ticket
from ticket_contracts.commands import (
    Actor,
    AddNote,
    Assign,
    Command,
    ReceiveMessage,
    Reply,
    Routing,
    SetPriority,
    SetStatus,
)
from ticket_contracts.messages import Conversation, MessageReceived, Party
from ticket_contracts.openings import OpenTicket
from ticket_contracts.tickets import ClockState, TicketFact, TicketSummary
from ticket_contracts.vocabulary import ActorKind, Channel, IdentityKind, Metric, Priority, Status

TICKET_ID = UUID("01900000-0000-7000-8000-000000000001")
AGENT = Actor(kind=ActorKind.AGENT, id="li.wei", name="Li Wei")
MACHINE = Actor(kind=ActorKind.MACHINE, id="rules")
CUSTOMER_ID = UUID("01900000-0000-7000-8000-0000000000cc")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
NINE_TO_FIVE = ((9 * 60, 17 * 60),)
Decision = list[TicketFact] | Rejected


def moment(words: str, week: int = 0) -> datetime:
    """Return e.g. `fri 16:30` of a week without holidays, in UTC."""
    day, clock = words.split()
    hours, minutes = clock.split(":")
    return MONDAY + timedelta(weeks=week, days=DAYS.index(day), hours=int(hours), minutes=int(minutes))


def office(**changes: Any) -> BusinessCalendar:
    """Return a calendar that is open on weekdays from nine to five."""
    hours = {"name": "office", "zone": ZoneInfo("UTC"), "week": (NINE_TO_FIVE,) * 5 + ((), ()), **changes}
    return BusinessCalendar(OpeningHours(**hours))


def always_open() -> BusinessCalendar:
    return office(name="always", week=(((0, 24 * 60),),) * 7)


def a_policy(**changes: Any) -> Policy:
    """Return a policy of 1 h to the first response and 8 h to the resolution, halved for urgent tickets."""
    targets = {
        Metric.FIRST_RESPONSE: {Priority.NORMAL: 3600, Priority.URGENT: 1800},
        Metric.RESOLUTION: {Priority.NORMAL: 8 * 3600, Priority.URGENT: 4 * 3600},
    }
    content = {"name": "standard", "version": 3, "order": 1, "calendar": "office", "targets": targets, **changes}
    return Policy(**content)


def policies_of(
    *policies: Policy, calendars: tuple[BusinessCalendar, ...] | None = None, people: People | None = None
) -> Policies:
    usable = (office(), always_open()) if calendars is None else calendars
    return Policies(
        in_force=policies,
        past={(policy.name, policy.version): policy for policy in policies},
        calendars={calendar.name: calendar for calendar in usable},
        people=people or People(),
    )


def a_summary(**changes: Any) -> TicketSummary:
    """Return what is known of a ticket that a customer has just opened."""
    content = {
        "number": 1001,
        "brand": "acme",
        "channel": Channel.EMAIL,
        "subject": "The pump leaks",
        "contact_id": CUSTOMER_ID,
        "contact": Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
        "status": Status.NEW,
        "priority": Priority.NORMAL,
        "team": "service",
        "opened_at": MONDAY,
        **changes,
    }
    return TicketSummary(**content)


def a_message(at: datetime, number: int = 1, **changes: Any) -> MessageReceived:
    content = {
        "message_id": uuid5(TICKET_ID, f"message {number}"),
        "identity": f"{number:064x}",
        "channel": Channel.EMAIL,
        "source": "support",
        "brand": "acme",
        "account": "support@acme.example",
        "provider_id": f"<{number}@customer.example>",
        "conversation": Conversation(key="<1@customer.example>"),
        "sender": Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
        "subject": "The pump leaks",
        "text": f"message {number}",
        "received_at": at,
        **changes,
    }
    return MessageReceived(**content)


class Case:
    """A ticket's life, step by step."""

    def __init__(self, policies: Policies | None = None) -> None:
        self.policies = policies_of(a_policy()) if policies is None else policies
        self.stored: Ticket | None = None
        self.facts: list[TicketFact] = []
        self.requests: list[Request] = []

    def receive(
        self,
        at: datetime,
        number: int = 1,
        *,
        priority: Priority | None = Priority.NORMAL,
        appended_at: datetime | None = None,
        **message: Any,
    ) -> Decision:
        """Let a customer's message arrive; it may have been long on its way to the log."""
        routing = Routing(team="service", priority=priority, **message.pop("routing", {}))
        contact_id = message.pop("contact_id", CUSTOMER_ID)
        received = a_message(at, number, **message)
        command = ReceiveMessage(
            ticket_id=TICKET_ID, actor=MACHINE, message=received, contact_id=contact_id, routing=routing
        )
        return self.ask(command, appended_at or at, f"message-{number}")

    def open_by_agent(self, at: datetime, command_id: str | None = None, **changes: Any) -> Decision:
        """Let an agent open the ticket: with a public message, unless the changes say otherwise."""
        content = {
            "ticket_id": TICKET_ID,
            "actor": AGENT,
            "brand": "acme",
            "channel": Channel.EMAIL,
            "contact_id": CUSTOMER_ID,
            "contact": Party(kind=IdentityKind.EMAIL, value="wang@customer.example"),
            "subject": "Your pump",
            "text": "We would like to look at it",
            "public": True,
            "team": "service",
            "priority": Priority.NORMAL,
            **changes,
        }
        return self.ask(OpenTicket(**content), at, command_id)

    def reply(self, at: datetime, *, actor: Actor = AGENT, author: str = "agent", **command: Any) -> Decision:
        return self.ask(Reply(ticket_id=TICKET_ID, actor=actor, text="We look into it", author=author, **command), at)

    def note(self, at: datetime) -> Decision:
        return self.ask(AddNote(ticket_id=TICKET_ID, actor=AGENT, text="Ask the workshop"), at)

    def set_status(self, status: Status, at: datetime, **command: Any) -> Decision:
        return self.ask(SetStatus(ticket_id=TICKET_ID, actor=AGENT, status=status, **command), at)

    def assign(self, team: str, at: datetime) -> Decision:
        return self.ask(Assign(ticket_id=TICKET_ID, actor=AGENT, team=team), at)

    def set_priority(self, priority: Priority, at: datetime) -> Decision:
        return self.ask(SetPriority(ticket_id=TICKET_ID, actor=AGENT, priority=priority), at)

    def ask(
        self, command: Command, at: datetime, command_id: str | None = None, now: datetime | None = None
    ) -> Decision:
        """Decide any command appended at `at`, and handled at `now` (else at once)."""
        request = Request(command_id or f"command-{len(self.requests)}", command, at, number=1001)
        self.requests.append(request)
        return self._apply(decide(self.stored, request, self.policies, now or at))

    def redeliver_messages(self) -> None:
        """Let every message so far arrive once more."""
        for request in self.requests:
            if isinstance(request.command, ReceiveMessage):
                self._apply(decide(self.stored, request, self.policies, request.appended_at))

    def pass_time(self, until: datetime) -> list[TicketFact]:
        """Let the timers fire up to `until`."""
        facts = self._apply(decide_due(self.ticket, self.policies, until))
        assert isinstance(facts, list)
        return facts

    def clock(self, metric: Metric = Metric.FIRST_RESPONSE, cycle: int = 1) -> ClockState:
        """Return a clock of the ticket; fails when there is none."""
        return next(clock for clock in self.ticket.of_metric(metric) if clock.cycle == cycle)

    @property
    def ticket(self) -> Ticket:
        """The ticket; fails before it was opened."""
        assert self.stored is not None
        return self.stored

    @property
    def resolution(self) -> ClockState:
        return self.clock(Metric.RESOLUTION)

    @property
    def status(self) -> Status:
        return self.ticket.summary.status

    def _apply(self, decision: Decision) -> Decision:
        if isinstance(decision, list):
            for fact in decision:
                self.stored = evolve(self.stored, fact)
            self.facts += decision
        return decision


def kinds(facts: Decision) -> list[str]:
    """Return the short names of facts, in order."""
    assert isinstance(facts, list), facts
    return [fact.event_type.removeprefix("firebreak.ticket.").removesuffix(".v1") for fact in facts]
