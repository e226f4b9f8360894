"""What keeps automation rules from running away: chains end, bursts are stopped, the past is left alone."""

from datetime import timedelta

from sla_engine.domain.chain import LONGEST_CHAIN, MOST_IN_CHAIN
from sla_engine.domain.rule_memory import BURST_WITHIN, LONG_WITHIN, MOST_RUNS
from tests.unit.sla_engine.case import Case, kinds, moment
from tests.unit.sla_engine.rules import a_rule, a_wait, ruled, runs, with_rules
from ticket_contracts.automation import RuleRan
from ticket_contracts.tickets import MessageAdded, TicketFact
from ticket_contracts.vocabulary import Status

NINE = moment("mon 09:00")
TAGGED = '"{}" in fact.added'


def opened(case: Case) -> list[TicketFact]:
    facts = case.receive(NINE)
    assert isinstance(facts, list)
    return facts


def link(number: int) -> dict[str, object]:
    return {"add_tags": (f"t{number}",)}


def test_a_rule_does_not_react_to_what_it_did_itself() -> None:
    assert runs(opened(ruled(a_rule("echo", "opened", "message-added", then={"note": "x"})))) == [("echo", "ran")]


def test_rules_that_set_each_other_off_run_once_each_and_the_loop_is_told_once() -> None:
    ping = a_rule("ping", "message-added", "opened", when='message.text != "ping"', then={"note": "ping"}, order=1)
    pong = a_rule("pong", "message-added", when='message.text == "ping"', then={"note": "pong"}, order=2)
    case = ruled(ping, pong)
    facts = opened(case)
    assert runs(facts) == [("ping", "ran"), ("pong", "ran"), ("ping", "looped")]
    assert next(fact for fact in facts if isinstance(fact, RuleRan) and fact.outcome == "looped").reason == (
        "it set itself off: ping → pong → ping; each of them runs once for one command or moment"
    )

    again = case.note(NINE + timedelta(minutes=1))
    assert isinstance(again, list)
    assert runs(again) == [("ping", "ran"), ("pong", "ran")]


def test_a_chain_of_rules_has_an_end() -> None:
    first = a_rule("r0", "opened", then=link(0))
    rest = [a_rule(f"r{n}", "tags-changed", when=TAGGED.format(f"t{n - 1}"), then=link(n)) for n in range(1, 9)]
    facts = opened(ruled(first, *rest))

    assert runs(facts) == [*((f"r{n}", "ran") for n in range(LONGEST_CHAIN)), (f"r{LONGEST_CHAIN}", "looped")]


def test_one_command_sets_off_a_bounded_number_of_rules() -> None:
    facts = opened(ruled(*(a_rule(f"r{n:02}", "opened", then=link(n)) for n in range(MOST_IN_CHAIN + 2))))

    assert runs(facts) == [*((f"r{n:02}", "ran") for n in range(MOST_IN_CHAIN)), ("r20", "looped")]
    looped = facts[-1]
    assert isinstance(looped, RuleRan)
    assert (looped.held, [each.rule for each in looped.also]) == (2, ["r21"])


def test_a_rule_runs_once_for_two_facts_of_one_command_and_that_is_no_loop() -> None:
    case = ruled(a_rule("once", "message-added", "status-changed", then={"note": "x"}))
    opened(case)
    case.set_status(Status.PENDING, NINE + timedelta(minutes=1))
    facts = case.receive(NINE + timedelta(minutes=2), 2)  # a message, and the status it changes

    assert isinstance(facts, list)
    assert kinds(facts)[:2] == ["message-added", "status-changed"]
    assert runs(facts) == [("once", "ran")]


def chatting(case: Case, messages: int) -> None:
    """Let the customer write every two minutes."""
    for number in range(2, messages + 2):
        case.receive(NINE + timedelta(minutes=2 * number), number)


def test_a_rule_that_runs_too_often_on_a_ticket_is_stopped_there_and_said_once_in_words() -> None:
    case = ruled(a_rule("answer", "message-added", when='message.author.kind == "customer"', then={"reply": "已收到"}))
    opened(case)
    chatting(case, MOST_RUNS + 10)

    assert runs(case.facts) == [("answer", "ran")] * MOST_RUNS + [("answer", "stopped")]
    notes = [fact.message.text for fact in case.facts if isinstance(fact, MessageAdded) and not fact.message.public]
    assert len(notes) == 1
    assert "Rule “answer”: it ran 20 times on this ticket within 60 minutes" in notes[0]
    assert "规则「answer」在 60 分钟内对本工单运行了 20 次" in notes[0]


def test_a_stopped_rule_rests_until_it_is_changed() -> None:
    rule = a_rule("answer", "message-added", when='message.author.kind == "customer"', then={"reply": "已收到"})
    case = ruled(rule)
    opened(case)
    chatting(case, MOST_RUNS + 1)
    much_later = NINE + timedelta(days=2)
    case.receive(much_later, 90)
    assert runs(case.facts)[-1] == ("answer", "stopped")

    newer = a_rule("answer", "message-added", then={"note": "x"}, version=2)
    case.policies = with_rules(newer)
    case.receive(much_later + timedelta(minutes=1), 91)
    assert runs(case.facts)[-1] == ("answer", "ran")


def test_a_rule_that_runs_as_often_over_a_longer_time_goes_on() -> None:
    case = ruled(a_rule("answer", "message-added", when='message.author.kind == "customer"', then={"reply": "已收到"}))
    opened(case)
    for number in range(2, 2 * MOST_RUNS):
        case.receive(NINE + number * BURST_WITHIN / 10, number)

    assert {outcome for _, outcome in runs(case.facts)} == {"ran"}


def test_what_is_remembered_of_rules_that_are_quiet_again_is_forgotten() -> None:
    case = ruled(a_rule("one", "opened", then={"note": "x"}), a_rule("two", "status-changed", then={"note": "y"}))
    opened(case)
    case.set_status(Status.PENDING, NINE + LONG_WITHIN)

    assert case.ticket.automation is not None
    assert [use.rule for use in case.ticket.automation.uses] == ["two"]


def test_a_stopped_rule_on_time_waits_no_more_on_this_ticket() -> None:
    case = ruled(a_wait("nag", Status.PENDING, hours=0.01, then={"note": "x"}))
    opened(case)
    for number in range(MOST_RUNS + 5):
        at = NINE + timedelta(minutes=2 * number)
        case.set_status(Status.PENDING, at)
        case.pass_time(at + timedelta(minutes=1))
        case.set_status(Status.OPEN, at + timedelta(minutes=1))

    assert runs(case.facts) == [("nag", "ran")] * MOST_RUNS + [("nag", "stopped")]
