"""What leaves the engine when a rule ran: facts that name their cause, and a notice to people."""

from sla_engine.publish_facts import Cause, cause_of
from sla_engine.publish_rules import notice_events, within_rules
from tests.unit.sla_engine.case import TICKET_ID, moment
from tests.unit.sla_engine.rules import LEAD, a_rule, a_wait, ruled
from ticket_contracts.alerts import RuleNotice
from ticket_contracts.tickets import TicketFact
from ticket_contracts.topics import COMMANDS
from ticket_contracts.vocabulary import Priority, Status
from ticket_stream.processing import Partition

COMMAND = Cause(Partition(COMMANDS.name, 0), "message-1", "message-1")


def causes(facts: list[TicketFact], cause: Cause = COMMAND) -> list[tuple[str, str]]:
    return [
        (fact.event_type.split(".")[2], cause_of(fact, behind).id.replace(f"{TICKET_ID}:", "#"))
        for fact, behind in within_rules(facts, cause)
    ]


def test_the_chain_of_causes_goes_from_the_command_over_the_rule_to_what_it_did() -> None:
    urgent = a_rule("urgent", "opened", then={"priority": Priority.URGENT, "add_tags": ("x",)}, order=1)
    note = a_rule("note", "tags-changed", then={"note": "y"}, order=2)
    facts = ruled(urgent, note).receive(moment("mon 10:00"))
    assert isinstance(facts, list)

    assert causes(facts) == [
        ("opened", "message-1"),
        ("rule-ran", "#1"),
        ("priority-changed", "#2"),
        ("clock-retargeted", "#2"),
        ("clock-retargeted", "#2"),
        ("tags-changed", "#2"),
        ("rule-ran", "#6"),
        ("message-added", "#7"),
    ]


def test_what_a_rule_on_time_does_is_caused_by_its_moment() -> None:
    case = ruled(a_wait("late", Status.NEW, hours=0.5, then={"note": "y"}))
    case.receive(moment("mon 10:00"))
    facts = case.pass_time(moment("mon 10:30"))

    moments = f"timer:{TICKET_ID}:{moment('mon 10:30').isoformat()}".replace(f"{TICKET_ID}:", "#")
    assert causes(facts, Cause(COMMAND.origin))[-2:] == [("rule-ran", moments), ("message-added", "#4")]


def test_whom_a_rule_tells_stands_in_an_alert_with_names_and_addresses() -> None:
    facts = ruled(a_rule("tell", "opened", then={"notify": [("team-leads",)]})).receive(moment("mon 10:00"))
    assert isinstance(facts, list)

    [event] = [event for fact in facts for event in notice_events(fact, COMMAND)]
    assert (event.type, event.id) == ("firebreak.alert.rule-notice.v1", f"{TICKET_ID}:2:notice")
    lead = LEAD.model_copy(update={"roles": ("team-lead",)})
    notice = RuleNotice.model_validate_json(event.data)
    assert (notice.rule, notice.recipients, notice.ticket.number) == ("tell", (lead,), 1001)
