"""What keeps slow loops and floods of rules small: counts over weeks, and one fact for many rules."""

from dataclasses import replace
from datetime import datetime, timedelta

from sla_engine.domain.automation_rehearsal import rehearse
from sla_engine.domain.automation_rules import Rule
from sla_engine.domain.chain import MOST_IN_CHAIN
from sla_engine.domain.held_back import MOST_NAMED
from sla_engine.domain.policies import Policies
from sla_engine.domain.rule_memory import LONG_WITHIN, MOST_LONG_RUNS, MOST_RUNS, MOST_WAITS, RuleUse
from sla_engine.publish_facts import Cause
from sla_engine.publish_rules import notice_events
from sla_engine.stored_state import decode_state, encode_state
from tests.unit.sla_engine.case import Case, a_policy, moment, policies_of
from tests.unit.sla_engine.escalation_case import a_step
from tests.unit.sla_engine.rules import LEAD, a_rule, a_wait, ruled, runs, with_rules
from ticket_contracts.alerts import RuleNotice
from ticket_contracts.automation import MOST_RULES, RuleRan
from ticket_contracts.tickets import MessageAdded, TicketFact
from ticket_contracts.topics import COMMANDS, MAX_EVENT_BYTES
from ticket_contracts.vocabulary import Metric, Priority, Status
from ticket_stream.processing import Partition

NINE = moment("mon 09:00")
CUSTOMERS = 'message.author.kind == "customer"'
UNDOING = (
    a_wait("freeze", Status.OPEN, hours=3, then={"status": Status.PENDING}),
    a_wait("thaw", Status.PENDING, hours=3, then={"status": Status.OPEN}),
)


def opened(policies: Policies) -> Case:
    case = Case(policies)
    case.receive(NINE)
    case.set_status(Status.OPEN, NINE)
    return case


def rule_facts(facts: list[TicketFact]) -> list[RuleRan]:
    return [fact for fact in facts if isinstance(fact, RuleRan)]


def test_two_rules_that_undo_each_other_slowly_come_to_an_end_and_it_is_said_once() -> None:
    case = opened(with_rules(*UNDOING))
    case.pass_time(NINE + timedelta(days=100))

    outcomes = runs(case.facts)
    assert outcomes.count(("freeze", "ran")) == MOST_LONG_RUNS
    assert [each for each in outcomes if each[1] != "ran"] == [("freeze", "stopped")]
    [stopped] = [fact for fact in rule_facts(case.facts) if fact.outcome == "stopped"]
    assert stopped.reason == "it ran 100 times on this ticket within 30 days and rests here until it is changed"
    [note] = [fact.message.text for fact in case.facts if isinstance(fact, MessageAdded) and not fact.message.public]
    assert "Rule “freeze”: it ran 100 times on this ticket within 30 days" in note
    assert "规则「freeze」在 30 天内对本工单运行了 100 次" in note
    assert case.ticket.next_transition() is None


def test_it_makes_no_difference_whether_time_passes_at_once_or_the_state_is_stored_and_read_in_between() -> None:
    at_once = opened(with_rules(*UNDOING))
    at_once.pass_time(NINE + timedelta(days=30))
    bit_by_bit = opened(with_rules(*UNDOING))
    for day in range(1, 31):
        bit_by_bit.stored = decode_state(encode_state(bit_by_bit.ticket))
        bit_by_bit.pass_time(NINE + timedelta(days=day))

    assert [fact.encode() for fact in bit_by_bit.facts] == [fact.encode() for fact in at_once.facts]
    assert encode_state(bit_by_bit.ticket) == encode_state(at_once.ticket)
    assert len(encode_state(at_once.ticket)) < 16 * 1024


def test_a_dry_run_shows_the_end_of_a_slow_loop_that_life_would_come_to() -> None:
    lived = opened(with_rules(*UNDOING))
    lived.pass_time(NINE + timedelta(days=40))
    quiet = opened(with_rules())

    would = rehearse(quiet.facts, with_rules(*UNDOING), NINE, NINE + timedelta(days=40))
    assert [(run.rule, run.outcome, run.at) for run in would] == [
        (run.rule, run.outcome, run.at) for run in rule_facts(lived.facts)
    ]


def test_a_rule_and_an_escalation_step_that_undo_each_other_come_to_an_end() -> None:
    targets = {Metric.RESOLUTION: dict.fromkeys(Priority, 8 * 3600)}
    step = a_step(metric=Metric.RESOLUTION, percent=50, raise_priority=True)
    policy = a_policy(calendar="always", targets=targets, warnings=(50,), steps=(step,), on_priority="reset")
    calm = a_rule("calm", "priority-changed", when='ticket.priority == "high"', then={"priority": Priority.NORMAL})
    case = opened(with_rules(calm, policies=policies_of(policy)))
    case.pass_time(NINE + timedelta(days=100))

    assert runs(case.facts) == [("calm", "ran")] * MOST_LONG_RUNS + [("calm", "stopped")]
    assert case.facts[-1].at < NINE + LONG_WITHIN


def answered(case: Case, times: int, first: datetime, number: int) -> None:
    """Let the customer write every six hours."""
    for each in range(times):
        case.receive(first + each * timedelta(hours=6), number + each)


def test_the_count_begins_anew_after_thirty_days_and_with_another_version() -> None:
    rule = a_rule("answer", "message-added", when=CUSTOMERS, then={"note": "x"})
    case = ruled(rule)
    case.receive(NINE)
    answered(case, MOST_LONG_RUNS, NINE + timedelta(hours=1), 2)
    answered(case, 10, NINE + timedelta(hours=1) + LONG_WITHIN, 200)
    assert {outcome for _, outcome in runs(case.facts)} == {"ran"}

    answered(case, MOST_LONG_RUNS, NINE + timedelta(hours=1) + LONG_WITHIN + timedelta(days=3), 300)
    assert runs(case.facts)[-1] == ("answer", "stopped")
    case.policies = with_rules(a_rule("answer", "message-added", when=CUSTOMERS, then={"note": "x"}, version=2))
    answered(case, 1, NINE + timedelta(days=60), 500)
    assert runs(case.facts)[-1] == ("answer", "ran")


def test_of_a_stopped_rule_assignee_and_leads_are_told_what_to_do_once() -> None:
    case = opened(with_rules(*UNDOING))
    case.pass_time(NINE + timedelta(days=100))
    told = [event for fact in case.facts for event in notice_events(fact, Cause(Partition(COMMANDS.name, 0)))]

    [notice] = [RuleNotice.model_validate_json(event.data) for event in told]
    assert (notice.rule, notice.outcome, [each.name for each in notice.recipients]) == (
        "freeze",
        "stopped",
        [LEAD.name],
    )
    assert "100 times on this ticket within 30 days" in notice.reason
    assert notice.words is not None
    assert "change the rule and apply it" in notice.words.en
    assert "修改规则并应用" in notice.words.zh


def test_a_wait_of_a_rule_that_rests_ends_without_a_second_alert() -> None:
    nag = a_wait("nag", Status.PENDING, hours=0.01, then={"note": "x"})
    case = ruled(nag)
    case.receive(NINE)
    for number in range(MOST_RUNS + 1):
        case.set_status(Status.PENDING, NINE + timedelta(minutes=2 * number))
        case.set_status(Status.OPEN, NINE + timedelta(minutes=2 * number + 1))
    case.policies = with_rules(replace(nag, version=2))
    case.set_status(Status.PENDING, NINE + timedelta(hours=2))
    case.policies = with_rules(nag)  # taken back before its time comes
    case.pass_time(NINE + timedelta(hours=3))

    assert runs(case.facts)[-2:] == [("nag", "stopped")] * 2
    told = [event for fact in case.facts for event in notice_events(fact, Cause(Partition(COMMANDS.name, 0)))]
    assert len(told) == 1


def test_a_thousand_rules_on_one_fact_are_one_fact_that_names_some_and_counts_all() -> None:
    case = ruled(
        *(
            a_rule(f"r{n:03}", "message-added", "opened", then={"add_tags": ("t",), "note": "x"}, order=n)
            for n in range(1000)
        )
    )
    case.receive(NINE)

    assert runs(case.facts)[MOST_IN_CHAIN:] == [(f"r{MOST_IN_CHAIN:03}", "looped")]
    looped = rule_facts(case.facts)[-1]
    assert (looped.held, len(looped.also)) == (1000 - MOST_IN_CHAIN, MOST_NAMED - 1)
    assert looped.reason.startswith("more than 20 rules were set off at once; held back with it, 979 more: r021, r022")
    assert len(looped.encode()) < MAX_EVENT_BYTES
    case.receive(NINE + timedelta(minutes=1), 2)
    assert [outcome for _, outcome in runs(case.facts)].count("looped") == 1


def test_a_thousand_conditions_that_fail_are_one_fact_too() -> None:
    case = ruled(*(a_rule(f"r{n:03}", "opened", when="ticket.gone == 1", then={"note": "x"}) for n in range(1000)))
    case.receive(NINE)

    assert runs(case.facts) == [("r000", "failed")]
    assert rule_facts(case.facts)[0].held == 1000


def test_many_long_names_of_rules_that_wait_or_ran_stay_small() -> None:
    names = [f"{n:03}{'规' * 97}" for n in range(MOST_WAITS + 50)]
    case = ruled(*(a_wait(name, Status.PENDING, hours=1 + n, then={"note": "x"}) for n, name in enumerate(names)))
    case.receive(NINE)
    case.set_status(Status.PENDING, NINE)
    assert case.ticket.automation is not None
    assert [wait.rule for wait in case.ticket.automation.waits] == names[:MOST_WAITS]
    assert max(len(fact.encode()) for fact in case.facts) < MAX_EVENT_BYTES

    case.pass_time(NINE + timedelta(hours=200))
    assert case.ticket.automation is not None
    assert [use.rule for use in case.ticket.automation.uses] == names[:MOST_WAITS]


def many_that_fail(number: int) -> list[Rule]:
    """Rules with a defect, each of which shows in messages of its own."""
    return [
        a_rule(
            f"r{n:03}", "message-added", when=f'message.text == "message {n}" && ticket.gone == 1', then={"note": "x"}
        )
        for n in range(number)
    ]


def test_each_of_many_rules_with_a_defect_is_told_of_once_on_a_ticket() -> None:
    case = ruled(*many_that_fail(130))
    case.receive(NINE, 1000)
    for number in range(260):
        case.receive(NINE + timedelta(minutes=1), number, text=f"message {number % 130}")

    assert runs(case.facts) == [(f"r{number:03}", "failed") for number in range(130)]


def test_a_slow_loop_comes_to_an_end_on_a_ticket_that_remembers_many_other_rules() -> None:
    case = opened(with_rules(*many_that_fail(MOST_RULES - len(UNDOING)), *UNDOING))
    told = [RuleUse(f"r{n:03}", 1, told=("failed",)) for n in range(MOST_RULES - len(UNDOING))]
    removed_since = [RuleUse(f"r{n:03}", 1, told=("stopped",)) for n in range(MOST_RULES, 2 * MOST_RULES)]
    assert case.ticket.automation is not None
    case.stored = replace(case.ticket, automation=replace(case.ticket.automation, uses=(*told, *removed_since)))
    case.pass_time(NINE + timedelta(days=100))

    assert runs(case.facts).count(("freeze", "ran")) == MOST_LONG_RUNS
    assert runs(case.facts)[-1] == ("freeze", "stopped")
    assert case.ticket.next_transition() is None
