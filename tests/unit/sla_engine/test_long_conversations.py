"""A ticket of thousands of exchanges: its state stays small, and what counts of clocks that are over is kept."""

from datetime import timedelta
from uuid import uuid5

from sla_engine.batch_work import BatchWork, Handled
from sla_engine.check_fold import StoredRows, check_page
from sla_engine.domain.clock_memory import MOST_KEPT_CLOCKS
from sla_engine.domain.evolve import evolve
from sla_engine.domain.quick_what_if import replay as replay_quickly
from sla_engine.domain.request import Rejected
from sla_engine.domain.rule_memory import RuleMemory, RuleUse
from sla_engine.domain.ticket import PAST_CLOCKS_FORMAT, Absorbed, Link, Ticket, replace
from sla_engine.domain.what_if import replay
from sla_engine.publish_facts import Cause
from sla_engine.stored_rows import clock_row, message_row, new_ticket_row
from sla_engine.stored_state import decode_state, encode_state
from tests.unit.sla_engine.case import AGENT, TICKET_ID, Case, a_policy, moment, policies_of
from tests.unit.sla_engine.what_if_lives import rehearsed
from tests.unit.sla_engine.what_if_lives import stored as history_of
from tests.unit.sla_engine.what_if_lives import told as clocks_of
from ticket_contracts.actions import MarkSpam
from ticket_contracts.automation import RuleRan
from ticket_contracts.exchanges import MOST_RELATED, AbsorbMerged, LinkTickets, Split
from ticket_contracts.tickets import ClockFact, ClockState, MessageAdded, TicketOpened
from ticket_contracts.topics import COMMANDS
from ticket_contracts.vocabulary import ClockStatus, LinkKind, Metric, Priority
from ticket_store.tables.clocks import CLOCK_COLUMNS
from ticket_store.tables.messages import NEW_MESSAGE_COLUMNS
from ticket_store.tables.tickets import NEW_TICKET_COLUMNS
from ticket_stream.processing import Partition

NINE = moment("mon 09:00")
HOUR = {Priority.NORMAL: 3600}
POLICIES = policies_of(
    a_policy(
        calendar="always",
        targets={Metric.FIRST_RESPONSE: HOUR, Metric.NEXT_RESPONSE: HOUR, Metric.UPDATE: {Priority.NORMAL: 86_400}},
    )
)
FEW, MANY = 2 * MOST_KEPT_CLOCKS, 4 * MOST_KEPT_CLOCKS


def talked(exchanges: int, *, late: bool = False) -> Case:
    """Let customer and agent answer each other every few minutes, or every few hours."""
    case, step = Case(POLICIES), timedelta(hours=2) if late else timedelta(minutes=2)
    case.receive(NINE)
    for number in range(exchanges):
        at = NINE + (2 * number + 1) * step
        case.reply(at)
        case.receive(at + step, number + 2)
    return case


def all_clocks(case: Case) -> dict[tuple[Metric, int], ClockState]:
    found: dict[tuple[Metric, int], ClockState] = {}
    for fact in case.facts:
        clocks = fact.clocks if isinstance(fact, TicketOpened) else (fact.clock,) if isinstance(fact, ClockFact) else ()
        found |= {(clock.metric, clock.cycle): clock for clock in clocks}
    return found


def test_the_state_of_a_conversation_does_not_grow_with_it() -> None:
    few, many = talked(FEW), talked(MANY)

    assert len(many.ticket.clocks) == len(few.ticket.clocks) <= MOST_KEPT_CLOCKS + len(Metric)
    assert len(encode_state(many.ticket)) < 1.05 * len(encode_state(few.ticket))
    assert len(all_clocks(many)) == 2 + 2 * MANY
    assert many.ticket.format == PAST_CLOCKS_FORMAT
    assert talked(1).ticket.format == 1


def test_the_fold_is_the_same_whether_old_clocks_were_forgotten_one_by_one_or_at_once() -> None:
    case = talked(FEW)
    again: Ticket | None = None
    for fact in case.facts:
        again = evolve(again if again is None else decode_state(encode_state(again)), fact)

    assert again == case.ticket
    last = next(fact for fact in reversed(case.facts) if isinstance(fact, ClockFact))
    before: Ticket | None = None
    for fact in case.facts[: case.facts.index(last)]:
        before = evolve(before, fact)
    assert before is not None
    complete = {key: clock for key, clock in all_clocks(case).items() if key != (last.clock.metric, last.clock.cycle)}
    held = [clock for clock in before.clocks if (clock.metric, clock.cycle) == (last.clock.metric, last.clock.cycle)]
    unfolded = Ticket(before.ticket_id, before.version, before.summary, clocks=(*complete.values(), *held))
    at_once = evolve(unfolded, last)
    assert {(each.metric, each.cycle) for each in at_once.clocks} == {
        (each.metric, each.cycle) for each in again.clocks
    }
    assert at_once.past_clocks == again.past_clocks


def test_what_was_promised_and_kept_long_ago_is_not_promised_anew() -> None:
    case = talked(FEW)
    at = NINE + timedelta(days=5)
    case.ask(MarkSpam(ticket_id=TICKET_ID, actor=case.requests[1].command.actor, spam=True), at)
    case.ask(MarkSpam(ticket_id=TICKET_ID, actor=case.requests[1].command.actor, spam=False), at)

    started = [key for key, clock in all_clocks(case).items() if clock.status is ClockStatus.RUNNING]
    assert Metric.FIRST_RESPONSE not in {metric for metric, _ in started}
    assert [cycle for metric, cycle in all_clocks(case) if metric is Metric.FIRST_RESPONSE] == [1]


def test_a_metric_that_was_late_long_ago_stays_one_that_was_late_and_is_named_once() -> None:
    case = talked(FEW, late=True)

    assert case.ticket.breached == [Metric.FIRST_RESPONSE, Metric.NEXT_RESPONSE]
    quick = [case.receive(NINE + timedelta(days=60), 1000), case.reply(NINE + timedelta(days=60))]
    assert all(isinstance(each, list) for each in quick)
    for number in range(FEW):
        at = NINE + timedelta(days=61, minutes=2 * number)
        case.receive(at, 1001 + number)
        case.reply(at + timedelta(minutes=1))
    assert not any(clock.breached_at for clock in case.ticket.of_metric(Metric.NEXT_RESPONSE))
    assert Metric.NEXT_RESPONSE in case.ticket.breached


def test_what_if_and_the_rows_to_write_have_all_clocks() -> None:
    case = talked(FEW, late=True)
    wanted = {key: clock.status for key, clock in all_clocks(case).items()}
    imagined = replay(case.facts, POLICIES, case.facts[-1].at)
    assert {(clock.metric, clock.cycle): clock.status for clock in imagined.clocks} == wanted

    work, origin = BatchWork(NINE), Partition(COMMANDS.name, 0)
    handled = Handled(None, None, origin)
    work.record(handled, case.facts, Cause(origin), POLICIES)
    assert {key: clock.status for key, clock in handled.turned.items()} == wanted
    assert handled.started == set(wanted)


def test_what_if_knows_of_as_many_clocks_as_the_ticket_when_something_was_long_on_its_way() -> None:
    case = talked(FEW, late=True)
    case.reply(NINE + timedelta(minutes=30))  # of the clocks that are kept, none was late by then
    until = case.facts[-1].at + timedelta(days=9)
    in_full = replay(case.facts, POLICIES, until)
    assert {clock.breached_at is None for clock in in_full.of_metric(Metric.NEXT_RESPONSE)} == {False, True}
    assert rehearsed(replay_quickly(history_of(case.facts), POLICIES, until)) == clocks_of(in_full)


def stored_by(case: Case, state: Ticket) -> tuple[StoredRows, list[dict[str, object]]]:
    """Return what stands in the tables, and the rows of `clocks` among it."""
    rows = [dict(zip(CLOCK_COLUMNS, clock_row(case.ticket, each), strict=True)) for each in all_clocks(case).values()]
    said = [message_row(fact) for fact in case.facts if isinstance(fact, TicketOpened | MessageAdded)]
    ticket = dict(zip(NEW_TICKET_COLUMNS, new_ticket_row(case.ticket, NINE), strict=True))
    facts = [{"type": fact.event_type, "data": fact.encode()} for fact in case.facts]
    stored = StoredRows(
        facts={TICKET_ID: facts},
        tickets={TICKET_ID: {**ticket, "tags": [], "state": encode_state(state)}},
        clocks={TICKET_ID: rows},
        messages={TICKET_ID: [dict(zip(NEW_MESSAGE_COLUMNS, row, strict=True)) for row in said]},
    )
    return stored, rows


def test_a_rebuild_finds_no_difference_and_misses_a_clock_that_the_ticket_does_not_keep() -> None:
    case = talked(FEW)
    stored, rows = stored_by(case, case.ticket)
    assert check_page([TICKET_ID], stored).differences == []
    del rows[1]
    assert len(check_page([TICKET_ID], stored).differences) == 1


def test_a_ticket_that_an_engine_has_stored_with_all_clocks_is_read_and_checked_as_its_facts_make_it() -> None:
    case = talked(FEW)
    before = replace(case.ticket, clocks=tuple(all_clocks(case).values()), past_clocks=(), format=1)
    stored, _ = stored_by(case, before)

    assert decode_state(encode_state(before)) == case.ticket
    assert check_page([TICKET_ID], stored).differences == []


def test_how_often_rules_ran_is_no_difference_and_what_was_told_of_them_is_one() -> None:
    case = talked(1)
    ran = case.ticket.version + 1
    fact = RuleRan(
        ticket_id=TICKET_ID,
        version=ran,
        at=NINE,
        actor=AGENT,
        ticket=case.ticket.summary,
        rule="greet",
        rule_version=1,
        configuration_version=1,
        outcome="ran",
        cause="x",
    )
    case.facts.append(fact)
    case.stored = evolve(case.ticket, fact)
    for told, found in (((), 0), (("stopped",), 1)):
        use = RuleUse("greet", 1, (NINE,), told)  # as it was before runs were counted
        stored, _ = stored_by(case, replace(case.ticket, automation=RuleMemory(uses=(use,))))
        assert len(check_page([TICKET_ID], stored).differences) == found


def test_what_a_ticket_is_related_to_is_bounded_and_the_refusal_says_what_to_do() -> None:
    case = Case(POLICIES)
    case.receive(NINE)
    ids = [uuid5(TICKET_ID, str(number)) for number in range(MOST_RELATED)]
    links, parts = tuple(Link(each, LinkKind.RELATED) for each in ids), tuple(Absorbed(each, "m") for each in ids)
    case.stored = replace(case.ticket, links=links, absorbed=parts, moved_ids=tuple(ids))
    asked = {"ticket_id": TICKET_ID, "actor": AGENT}
    one_more = uuid5(TICKET_ID, "one more")

    linked = case.ask(LinkTickets(**asked, other_id=one_more, kind=LinkKind.RELATED), NINE)
    absorbed = case.ask(AbsorbMerged(**asked, source_id=one_more, merge_id="n", number=7), NINE)
    split = case.ask(Split(**asked, message_ids=(one_more,)), NINE)
    assert isinstance(linked, Rejected)
    assert isinstance(absorbed, Rejected)
    assert isinstance(split, Rejected)
    assert linked.reason == "other_id: the ticket has 1000 links already; remove some first"
    assert "merge into another one" in absorbed.reason
    assert split.reason.startswith("message_ids: at most 1000 messages")
    assert case.ask(LinkTickets(**asked, other_id=ids[0], kind=LinkKind.RELATED), NINE) == []
