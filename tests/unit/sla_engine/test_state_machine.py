"""Tickets driven by random commands, times, rules, redeliveries, restarts, outages and edits (rules 42, 44, 46 and 49).

After every step: versions have no gap, what is stored is the fold of the facts as they stand in Postgres, a stored
state reads as it was written, and no alarm came twice. At the end: a fresh engine that reads the whole log, its timers
all late, has the same clocks; what-if nothing changes is what happened; and the alerts are those that event time
demands. An automation rule acts at most once on a fact, one on time when its time is used up; loops end and are told.
Where steps or rules act on the ticket, what they did stays done, whatever becomes known later, and a call that came
late may withdraw what a timer told. So timers are punctual where such a message comes late, and the fresh engine fires
them where they had fired: what-if gives the clocks of a life in the order of arrival (docs/decisions/0032).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from business_time.calendar import BusinessCalendar, OpeningHours
from sla_engine.domain.evolve import evolve
from sla_engine.domain.people import Agent, People, Team
from sla_engine.domain.policies import Policies, Policy
from sla_engine.domain.steps import Recipient, Step
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.what_if import replay
from sla_engine.stored_state import decode_fact, decode_state, encode_state
from tests.unit.sla_engine.case import AGENT, CUSTOMER_ID, MACHINE, NINE_TO_FIVE, a_message, a_policy, moment
from tests.unit.sla_engine.demanded_alerts import (
    Demand,
    clocks_of,
    follows_another,
    open_minutes,
    paused_stretches,
    taken_before,
)
from tests.unit.sla_engine.demanded_rules import NAMES, Edited, RuleWatch, rules_of, runs_of, some_rules
from tests.unit.sla_engine.pure_engine import PureEngine
from ticket_contracts.actions import ChangeTags, MarkSpam, Snooze
from ticket_contracts.alerts import ALERT_EVENTS, AlarmKind, SlaAlert
from ticket_contracts.commands import AddNote, Assign, Command, ReceiveMessage, Reply, Routing, SetPriority, SetStatus
from ticket_contracts.exchanges import FollowUp, LinkTickets, Merge, Split, UndoMerge
from ticket_contracts.messages import CallRecord
from ticket_contracts.tickets import TicketFact
from ticket_contracts.upkeep import Recalculate, Reevaluate
from ticket_contracts.vocabulary import ActorKind, Automation, LinkKind, MessageKind, Metric, Priority, Status
from ticket_stream.processing import NewEvent

START = moment("thu 08:00")
LAST = START + timedelta(days=12)  # nobody does anything later
END = START + timedelta(days=19)  # within the window of the minute oracle
WEEK_OF_FIVE = (NINE_TO_FIVE,) * 5 + ((), ())
ACTIONS = 50
HOURS = 3600

minutes = st.one_of(
    st.sampled_from([0, 1, 30, 54, 60, 61]), st.integers(0, 90), st.sampled_from([120, 480]), st.integers(0, 720)
).map(lambda number: timedelta(minutes=number))
some_ticket = st.integers(0, 2)
ends = st.sampled_from([Status.SOLVED, Status.SOLVED, Status.SOLVED, Status.CLOSED])
priorities = st.sampled_from([Priority.NORMAL, Priority.URGENT, Priority.NORMAL, Priority.URGENT, Priority.LOW])
RARE = (
    *("edited", "deleted", "call inbound heard", "call inbound missed", "call outbound heard"),
    *("snooze", "wake", "tag", "untag", "note", "spam", "no spam"),
)
options = st.fixed_dictionaries(
    {
        "on_reopen": st.sampled_from(["new_cycle", "continue", "ignore"]),
        "on_priority": st.sampled_from(["from_start", "from_now", "reset"]),
        "pauses": st.sampled_from([frozenset(), frozenset({Metric.RESOLUTION, Metric.UPDATE}), frozenset(Metric)]),
        "call_counts_as_reply": st.booleans(),
    }
)

WARNINGS = (50, 80, 90)
"""Each share of each target is a whole minute: the oracle of alerts counts no less."""

STEPS = (
    Step("tell", Metric.RESOLUTION, percent=50, notify=(Recipient("team-leads"),)),
    Step("tell again", Metric.NEXT_RESPONSE, after=timedelta(hours=3), notify=(Recipient("assignee"),)),
    Step("hurry", Metric.FIRST_RESPONSE, raise_priority=True),
    Step("hand over", Metric.RESOLUTION, percent=90, reassign_team="experts"),
)
"""The first two only tell people."""

HAND_BACK = Step("hand back", Metric.RESOLUTION, reassign_team="service")

PEOPLE = People(
    agents={"anna": Agent("Anna", "anna@acme.example")},
    teams={"service": Team("Service", leads=("anna",)), "experts": Team("Experts")},
)


def calendar(name: str, **hours: Any) -> tuple[str, OpeningHours]:
    return name, OpeningHours(**{"name": name, "zone": ZoneInfo("UTC"), "week": WEEK_OF_FIVE, **hours})


def a_call(at: datetime, direction: str, result: str) -> CallRecord:
    return CallRecord(
        call_id="c",
        direction=direction,
        answered=result == "heard",
        caller="+8613800000000",
        callee="+864000000000",
        started_at=at,
        seconds=60 if result == "heard" else 0,
    )


def targets(factor: float = 1) -> dict[Metric, dict[Priority, int]]:
    """The shortest target is half an hour."""
    return {
        metric: {
            Priority.NORMAL: int(factor * hours * HOURS),
            **dict.fromkeys((Priority.HIGH, Priority.URGENT), int(factor * hours * HOURS / 2)),
        }
        for metric, hours in zip(Metric, (2, 4, 8, 16), strict=True)
    }


@dataclass(frozen=True)
class Logged:
    """A command with its place in time, and the configuration under which it was decided."""

    id: str
    command: Command
    at: datetime
    now: datetime
    policies: Policies


class Told(NamedTuple):
    """One alarm, without its time."""

    ticket_id: UUID
    metric: str
    cycle: int
    kind: AlarmKind
    which: int | str | None


class Fired(NamedTuple):
    """When timers fired, and by which configuration."""

    now: datetime
    policies: Policies


def told_by(event: NewEvent) -> Iterator[Told]:
    alert = ALERT_EVENTS[event.type].model_validate_json(event.data)
    assert isinstance(alert, SlaAlert)
    for each in alert.alarms:
        yield Told(alert.ticket_id, each.metric, each.cycle, each.kind, each.percent or each.step)


class Tickets(RuleBasedStateMachine):
    """Two tickets and those that come of them.

    `orderly`: the broker's times never go back, as in a real log. `steady`: nobody edits the configuration. `acts`:
    steps change tickets. `ruled`: automation rules do. `timers_matter`: the record shows where one had fired.
    """

    @initialize(
        chosen=options,
        steps=st.sampled_from([0, 2, 2, 4, 4]),
        rules=some_rules,
        orderly=st.booleans(),
        steady=st.booleans(),
    )
    def begin(self, chosen: Mapping[str, Any], steps: int, rules: Sequence[str], orderly: bool, steady: bool) -> None:
        self.now = START
        self.orderly = orderly
        self.steady = steady
        self.ruled = bool(rules)
        self.timers_matter = steps == len(STEPS) or self.ruled or not orderly
        self.acts = steps == len(STEPS)
        self.log: list[Logged] = []
        self.fired: defaultdict[int, list[Fired]] = defaultdict(list)  # by how much of the log was read
        self.touched: set[UUID] = set()
        self.folded: dict[UUID, Ticket] = {}
        self.known_at: defaultdict[UUID, dict[int, datetime]] = defaultdict(dict)
        self.alarms: Counter[Told] = Counter()
        self.hours = dict([calendar("office"), calendar("always", week=(((0, 24 * 60),),) * 7)])
        self.edits: list[tuple[str, datetime]] = []
        self.automation = {name: Edited() for name in rules}
        self.rule_edits: list[str] = []
        self.watch = RuleWatch(START, self.rule_edits)
        self.versions = 3
        self.chosen = {**chosen, "steps": STEPS[:steps], "warnings": WARNINGS}
        experts = a_policy(
            name="experts",
            order=0,
            teams=frozenset({"experts"}),
            calendar="always",
            targets=targets(0.5),
            warnings=WARNINGS,
            steps=(HAND_BACK,) if self.acts else (),
        )
        self.past: dict[tuple[str, int], Policy] = {("experts", 3): experts}
        self.engine = PureEngine(self._policies(a_policy(targets=targets(), **self.chosen), experts))
        for number in (1, 2):
            self._receive(UUID(int=number), self.now)

    # What people and machines do

    @rule(ticket=some_ticket, passed=minutes, late=minutes, automation=st.sampled_from([Automation.HUMAN, *Automation]))
    def a_message_arrives(self, ticket: int, passed: timedelta, late: timedelta, automation: Automation) -> None:
        self._let_pass(passed)
        self._receive(self._ticket(ticket), max(START, self.now - late), automation=automation)

    @rule(ticket=some_ticket, passed=minutes, late=minutes, by_machine=st.sampled_from([False, False, True]))
    def somebody_replies(self, ticket: int, passed: timedelta, late: timedelta, by_machine: bool) -> None:
        actor = MACHINE if by_machine else AGENT
        self._wish(Reply(ticket_id=self._ticket(ticket), actor=actor, text="We look into it"), passed, late)

    @rule(ticket=some_ticket, passed=minutes, late=minutes, status=st.sampled_from([Status.PENDING, Status.ON_HOLD]))
    def it_waits(self, ticket: int, passed: timedelta, late: timedelta, status: Status) -> None:
        self._wish(SetStatus(ticket_id=self._ticket(ticket), actor=AGENT, status=status), passed, late)

    @rule(ticket=some_ticket, passed=minutes, late=minutes)
    def it_is_worked_on(self, ticket: int, passed: timedelta, late: timedelta) -> None:
        self._wish(SetStatus(ticket_id=self._ticket(ticket), actor=AGENT, status=Status.OPEN), passed, late)

    @rule(ticket=some_ticket, passed=minutes, late=minutes, status=ends)
    def it_ends(self, ticket: int, passed: timedelta, late: timedelta, status: Status) -> None:
        self._wish(SetStatus(ticket_id=self._ticket(ticket), actor=AGENT, status=status), passed, late)

    @rule(ticket=some_ticket, passed=minutes, late=minutes, priority=priorities)
    def the_priority_is_set(self, ticket: int, passed: timedelta, late: timedelta, priority: Priority) -> None:
        self._wish(SetPriority(ticket_id=self._ticket(ticket), actor=AGENT, priority=priority), passed, late)

    @rule(ticket=some_ticket, passed=minutes, team=st.sampled_from(["service", "experts"]))
    def the_team_is_changed(self, ticket: int, passed: timedelta, team: str) -> None:
        self._wish(Assign(ticket_id=self._ticket(ticket), actor=AGENT, team=team), passed)

    @rule(ticket=some_ticket, passed=minutes, wait=minutes, what=st.sampled_from([*RARE]))
    def something_rare_happens(self, ticket: int, passed: timedelta, wait: timedelta, what: str) -> None:
        ticket_id = self._ticket(ticket)
        if what in ("edited", "deleted"):
            self._let_pass(passed)
            self._receive(ticket_id, self.now, kind=MessageKind(what))
        elif what.startswith("call"):
            self._let_pass(passed)
            self._receive(ticket_id, self.now, call=a_call(self.now, *what.split()[1:]))
        else:
            asked: dict[str, Any] = {"ticket_id": ticket_id, "actor": AGENT}
            commands: dict[str, Command] = {
                "snooze": Snooze(until=self.now + passed + wait, **asked),
                "wake": Snooze(**asked),
                "tag": ChangeTags(add=("pump",), **asked),
                "untag": ChangeTags(remove=("pump",), **asked),
                "note": AddNote(text="Ask the workshop", **asked),
                "spam": MarkSpam(spam=True, **asked),
                "no spam": MarkSpam(spam=False, **asked),
            }
            self._wish(commands[what], passed)

    # What tickets ask of each other

    @rule(ticket=some_ticket, others=st.integers(1, 2), passed=minutes)
    def one_is_merged_into_another(self, ticket: int, others: int, passed: timedelta) -> None:
        other = self._ticket(ticket + others)
        self._wish(Merge(ticket_id=self._ticket(ticket), actor=AGENT, target_id=other), passed)

    @rule(ticket=some_ticket, passed=minutes, what=st.sampled_from(["undo", "link", "split", "follow"]))
    def another_exchange_begins(self, ticket: int, passed: timedelta, what: str) -> None:
        ticket_id = self._ticket(ticket)
        asked: dict[str, Any] = {"ticket_id": ticket_id, "actor": AGENT}
        commands: dict[str, Command] = {
            "undo": UndoMerge(**asked),
            "link": LinkTickets(other_id=self._ticket(ticket + 1), kind=LinkKind.PROBLEM, **asked),
            "follow": FollowUp(text="How does it run now?", public=bool(ticket), **asked),
            "split": Split(message_ids=(self.engine.entries[ticket_id][-1].message_id,), **asked),
        }
        self._wish(commands[what], passed)

    @precondition(lambda self: self.engine.under_way)
    @rule(passed=minutes, place=st.integers(0, 100), again=st.booleans())
    def one_step_of_an_exchange_arrives(self, passed: timedelta, place: int, again: bool) -> None:
        self._let_pass(passed)
        self._take(place % len(self.engine.under_way), again)

    # What the log, the process and the administrators do

    @rule(place=st.integers(0, 1000))
    def a_record_is_delivered_again(self, place: int) -> None:
        logged = self.log[place % len(self.log)]
        assert self._ask(logged.id, logged.command, logged.at) == []

    @rule(passed=minutes)
    def timers_fire(self, passed: timedelta) -> None:
        self._let_pass(passed)
        self._fire()

    @rule()
    def the_engine_starts_again(self) -> None:
        read = {ticket_id: decode_state(encode_state(ticket)) for ticket_id, ticket in self.engine.tickets.items()}
        before = {ticket_id: ticket.next_transition() for ticket_id, ticket in self.engine.tickets.items()}
        self.engine.tickets = read
        assert {ticket_id: ticket.next_transition() for ticket_id, ticket in read.items()} == before

    @precondition(lambda self: not self.steady)
    @rule(
        passed=minutes,
        day=st.sampled_from([1, 4, 5, 8]),
        name=st.sampled_from(["office", "always"]),
        told=st.booleans(),
    )
    def a_calendar_is_edited(self, passed: timedelta, day: int, name: str, told: bool) -> None:
        self._let_pass(passed)
        closed: date = (START + timedelta(days=day)).date()
        hours = self.hours[name]
        self.hours[name] = replace(hours, closed=hours.closed ^ {closed})
        self.edits.append((name, self.now))
        self.rule_edits.append(name)
        self.engine.policies = self._policies(*self.engine.policies.in_force[::-1])
        for ticket_id in list(self.engine.tickets) if told else ():
            command = Recalculate(ticket_id=ticket_id, actor=MACHINE, run_id="edit", calendars=(name,))
            self._wish(command, timedelta())

    @precondition(lambda self: not self.steady)
    @rule(passed=minutes, factor=st.sampled_from([0.5, 1, 2]), ticket=some_ticket)
    def a_policy_is_edited_and_a_ticket_evaluated_anew(self, passed: timedelta, factor: float, ticket: int) -> None:
        self.versions += 1
        newer = a_policy(version=self.versions, targets=targets(factor), **self.chosen)
        self.engine.policies = self._policies(newer, self.past["experts", 3])
        self._wish(Reevaluate(ticket_id=self._ticket(ticket), actor=MACHINE, run_id="again"), passed)

    @precondition(lambda self: not self.steady and self.ruled)
    @rule(passed=minutes, name=st.sampled_from(NAMES), factor=st.sampled_from([0.5, 1, 2]), gone=st.booleans())
    def an_automation_rule_is_edited(self, passed: timedelta, name: str, factor: float, gone: bool) -> None:
        self._let_pass(passed)
        self.versions += 1
        if gone:
            self.automation.pop(name, None)
        else:
            self.automation[name] = Edited(self.versions, factor)
        self.rule_edits.append(name)
        self.engine.policies = self._policies(*self.engine.policies.in_force[::-1])

    # What must hold

    @invariant()
    def the_stored_state_is_the_fold_of_the_stored_facts(self) -> None:
        for ticket in (self.engine.tickets[ticket_id] for ticket_id in self.touched):
            assert self.folded[ticket.ticket_id] == ticket
            assert all(len(set(clock.steps_done)) == len(clock.steps_done) for clock in ticket.clocks)
            assert decode_state(encode_state(ticket)) == ticket
        self.touched.clear()

    @invariant()
    def no_alarm_comes_twice(self) -> None:
        for told, times in self.alarms.items():
            if told.kind is AlarmKind.BREACH:  # one that was withdrawn may come true later
                assert times <= 1 + self.alarms[told._replace(kind=AlarmKind.BREACH_WITHDRAWN)], told
            elif told.kind is AlarmKind.BREACH_WITHDRAWN:
                assert times <= self.alarms[told._replace(kind=AlarmKind.BREACH)], told
            else:
                assert times == 1, told

    def teardown(self) -> None:
        while self.engine.under_way:
            self._take(0, again=False)
        for ticket_id in list(self.engine.tickets):  # what waits still shows how much of its time was used
            self._wish(SetStatus(ticket_id=ticket_id, actor=AGENT, status=Status.OPEN), timedelta())
        self.now = END
        for ticket_id in list(self.engine.tickets):
            self._note(self.engine.fire(ticket_id, END))
        if not self.edits:
            self._replays_as_it_ran()
        if self.steady:
            self.watch.lasted(self.engine.policies.automation, self.hours, END)
        if self.orderly:
            self._alerts_are_those_that_event_time_demands()
            if self.steady:
                self._what_if_nothing_changes_is_what_happened()

    def _replays_as_it_ran(self) -> None:
        """Decide the log again. Where the broker's time went back it tells whether a timer had fired by then."""
        again = PureEngine(self.log[0].policies)
        for read, logged in enumerate(self.log):
            for fired in self.fired[read] if self.timers_matter else ():
                again.policies = fired.policies
                for ticket_id in list(again.tickets):
                    again.fire(ticket_id, fired.now)
            again.policies = logged.policies
            again.ask(logged.id, logged.command, logged.at, logged.now)
        for ticket_id, ticket in self.engine.tickets.items():
            again.fire(ticket_id, END)
            assert again.tickets[ticket_id].clocks == ticket.clocks
            assert runs_of(again.facts[ticket_id]) == runs_of(self.engine.facts[ticket_id])

    def _what_if_nothing_changes_is_what_happened(self) -> None:
        for ticket_id, ticket in self.engine.tickets.items():
            rehearsed = replay(self.engine.facts[ticket_id], self.engine.policies, END)
            assert [each.model_copy(update={"causes": {}}) for each in rehearsed.clocks] == [
                each.model_copy(update={"causes": {}}) for each in ticket.clocks
            ]

    def _alerts_are_those_that_event_time_demands(self) -> None:
        for ticket_id, facts in self.engine.facts.items():
            lives = clocks_of(facts, self.known_at[ticket_id])
            for which, life in lives.items():
                stopped = life.last.stopped_at
                if (
                    stopped is not None and life.facts[-1].actor.kind is ActorKind.CUSTOMER
                ):  # a call, perhaps a late one
                    stopped = self.known_at[ticket_id][life.facts[-1].version]
                assert all(stopped is None or at <= stopped for at, _ in life.given), (which, life.given, stopped)
                assert not life.taken & taken_before(which, lives), (ticket_id, which)
                edited = any(name == life.started.calendar and at >= life.known_at for name, at in self.edits)
                if edited or follows_another(which, lives) or not life.is_plain():
                    continue
                policy = self.engine.policies.of_clock(life.started)
                known = facts[life.version - 1 :]
                pauses = list(paused_stretches(known, policy.pause_on, END)) if which[0] in policy.pauses else []
                hours = self.hours[life.started.calendar]
                opened = open_minutes(hours.week, hours.closed, START)
                flaws = list(Demand(opened, START, life, pauses, policy).flaws(END))
                assert flaws == [], (ticket_id, which, life.started)

    # The means

    def _policies(self, *newest_first: Policy) -> Policies:
        self.past |= {(policy.name, policy.version): policy for policy in newest_first}
        calendars = {name: BusinessCalendar(hours) for name, hours in self.hours.items()}
        return Policies(
            in_force=tuple(sorted(newest_first, key=lambda policy: policy.order)),
            past=dict(self.past),
            calendars=calendars,
            people=PEOPLE,
            automation=rules_of(self.automation, calendars),
        )

    def _let_pass(self, passed: timedelta) -> None:
        self.now = min(self.now + passed, LAST)

    def _ticket(self, number: int) -> UUID:
        known = list(self.engine.tickets)
        return known[number % len(known)]

    def _receive(self, ticket_id: UUID, at: datetime, **content: Any) -> None:
        number = len(self.log) + 1
        command = ReceiveMessage(
            ticket_id=ticket_id,
            actor=MACHINE,
            message=a_message(at, number, **content),
            contact_id=CUSTOMER_ID,
            routing=Routing(team="service", priority=Priority.NORMAL),
        )
        self._log_and_ask(f"message-{number}", command, self.now)

    def _wish(self, command: Command, passed: timedelta, late: timedelta = timedelta()) -> None:
        self._let_pass(passed)
        at = self.now if self.orderly else max(START, self.now - late)
        self._log_and_ask(f"command-{len(self.log)}", command, at)

    def _take(self, place: int, again: bool) -> None:
        under_way = self.engine.under_way
        event = under_way[place] if again else under_way.pop(place)
        self._log_and_ask(event.id, self.engine.read(event), self.now)

    def _fire(self) -> None:
        self.fired[len(self.log)].append(Fired(self.now, self.engine.policies))
        for ticket_id in list(self.engine.tickets):
            self._note(self.engine.fire(ticket_id, self.now))

    def _log_and_ask(self, command_id: str, command: Command, at: datetime) -> None:
        message = command.message if isinstance(command, ReceiveMessage) else None
        if message is not None and message.received_at < at and (self.acts or self.ruled or message.call is not None):
            self.timers_matter = True
            self._fire()
        self.log.append(Logged(command_id, command, at, self.now, self.engine.policies))
        self._ask(command_id, command, at)

    def _ask(self, command_id: str, command: Command, at: datetime) -> list[TicketFact]:
        facts = self.engine.ask(command_id, command, at, self.now)
        self._note(facts)
        return facts

    def _note(self, facts: list[TicketFact]) -> None:
        self.watch.see(facts, self.engine.policies.automation, self.hours)
        for fact in facts:
            stored = self.folded.get(fact.ticket_id)
            assert fact.version == (stored.version if stored else 0) + 1
            self.folded[fact.ticket_id] = evolve(stored, decode_fact(fact.event_type, fact.encode()))
            self.known_at[fact.ticket_id][fact.version] = self.now
            self.touched.add(fact.ticket_id)
        while self.engine.alerts:
            _, alerts = self.engine.alerts.popitem()
            self.alarms.update(told for event in alerts for told in told_by(event))


TestTickets = Tickets.TestCase
TestTickets.settings = settings(max_examples=40, stateful_step_count=ACTIONS)
