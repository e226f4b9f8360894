"""How rules are read: order, effects, languages, and what happens to a rule that cannot be decided."""

import re
from pathlib import Path

import pytest
import yaml

from tests.support.incoming import call, mail
from ticket_contracts.messages import Attachment, MessageReceived, Party, StoredObject
from ticket_contracts.vocabulary import Automation, IdentityKind, Priority
from ticket_router.domain.classification import NO_RULE_CHOSE, Rule, RuleBook, Rules
from ticket_store.documents import Routing

TEAMS = {"triage": (), "billing": ("li",), "phones": ("bo",)}


def book(*rules: Rule) -> RuleBook:
    return RuleBook(Rules(rules, TEAMS, "triage", Priority.NORMAL))


def matches(expression: str, message: MessageReceived) -> bool:
    classified = book(Rule("it", expression, team="billing")).classify(message)
    assert classified.team == "billing" or not classified.trace, classified.trace
    return classified.team == "billing"


REFUND_ZH = mail("<1>", subject="订单问题", text="你好，我要退款！订单号 20261123。", brand="acme-cn")
REFUND_EN = mail("<2>", subject="ORDER 42", text="Please REFUND my money. ＶＩＰ customer")
CALL = call("c-1", "a")
PHOTO = Attachment(name="broken.jpg", content=StoredObject(key="sha256/00", size=1))


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('message.text.contains("退款")', REFUND_ZH),
        ('message.words.mentions(["退款", "refund"])', REFUND_ZH),
        ('message.words.mentions(["退款", "Refund"])', REFUND_EN),
        ('message.words.contains("vip")', REFUND_EN),
        ('message.text.matches("退[款货]")', REFUND_ZH),
        ('message.subject.matches("(?i)order [0-9]+")', REFUND_EN),
        ('lower(message.subject).startsWith("order")', REFUND_EN),
        ('message.subject.lower() == "order 42"', REFUND_EN),
        ('message.brand == "acme-cn" && message.channel == "email"', REFUND_ZH),
        ('message.channel in ["phone", "chat"]', CALL),
        ("has(message.call) && !message.call.answered", CALL),
        ('message.sender.kind == "phone" && message.sender.value.startsWith("+86")', CALL),
        ('message["account"] == "pbx"', CALL),
        ("message.has_attachments", mail("<3>", attachments=(PHOTO,))),
        ('message.attachments.exists(name, name.endsWith(".jpg"))', mail("<3>", attachments=(PHOTO,))),
        ('message.automation == "bulk"', mail("<4>", automation=Automation.BULK)),
        ('message.sender.name == "Ann" && message.source == "mail"', REFUND_EN),
        ('"x@y" in message.recipients', mail("<5>", recipients=(Party(kind=IdentityKind.EMAIL, value="x@y"),))),
    ],
)
def test_a_condition_holds(expression: str, message: MessageReceived) -> None:
    assert matches(expression, message)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('message.text.contains("refund")', REFUND_EN),  # `text` is as written, `words` is not
        ('message.words.mentions(["退货"])', REFUND_ZH),
        ("has(message.call)", REFUND_EN),
        ('message.channel == "phone" && message.call.answered', REFUND_EN),
        ("message.words.mentions([])", REFUND_EN),
        ('message.words.mentions([""])', REFUND_EN),
    ],
)
def test_a_condition_does_not_hold(expression: str, message: MessageReceived) -> None:
    assert not matches(expression, message)


def test_later_rules_override_team_and_priority_and_add_tags() -> None:
    classified = book(
        Rule("first", "true", team="billing", priority=Priority.HIGH, tags=("a", "b")),
        Rule("second", "true", team="phones", tags=("b", "c")),
    ).classify(REFUND_EN)

    assert (classified.team, classified.priority, classified.tags) == ("phones", Priority.HIGH, ("a", "b", "c"))
    assert classified.trace == (("first", "team=billing priority=high tags+=a,b"), ("second", "team=phones tags+=b,c"))
    assert classified.reason == ""


def test_stop_ends_the_rules_only_when_it_matches() -> None:
    classified = book(
        Rule("no", "false", team="phones", stop=True),
        Rule("yes", "true", team="billing", stop=True),
        Rule("never reached", "true", team="phones"),
    ).classify(REFUND_EN)

    assert classified.trace == (("yes", "team=billing stop"),)


def test_what_one_rule_calls_spam_is_spam_whatever_later_rules_set() -> None:
    spam, last = Rule("junk", "true", spam=True), Rule("all", "true", team="billing")

    assert book(spam, last).classify(REFUND_EN).spam
    assert book(spam, last).classify(REFUND_EN).trace[0] == ("junk", "spam")
    assert not book(last).classify(REFUND_EN).spam


def test_what_no_rule_gives_a_team_goes_to_triage_with_the_reason() -> None:
    classified = book(Rule("tag only", "true", tags=("seen",))).classify(REFUND_EN)

    assert (classified.team, classified.reason, classified.tags) == ("triage", NO_RULE_CHOSE, ("seen",))


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ('message.nothing == "x"', "a field that it names is absent"),
        ("message.call.answered", "a field that it names is absent"),
        ("message.subject + 1 == 2", "the types of its values do not fit"),
        ("1 / 0 == 1", "its arithmetic has no result"),
        ("message.subject.shout()", "a function that it calls is unknown or failed"),
        ('message.words.mentions("退款", 1)', "a function that it calls is unknown or failed"),
        ("message.subject", "it gives neither true nor false"),
    ],
)
def test_a_condition_that_fails_does_not_match_and_says_why(expression: str, reason: str) -> None:
    classified = book(Rule("bad", expression, team="phones"), Rule("good", "true", team="billing")).classify(REFUND_EN)

    assert classified.team == "billing"
    assert classified.trace[0] == ("bad", f"no match: {reason}")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("message.subject ==", "not valid CEL"),
        ("(" * 900 + "true" + ")" * 900, "not valid CEL"),
        ('subject == "x"', "there is only `message`, not subject"),
        ("[1].exists(a, [1].exists(b, a == b))", "more than one"),
        ('message.words.matches("(")', "not a usable regular expression"),
        ("message.words.matches(message.subject)", "must be written out"),
        ('message.words.matches("(x{1000}){1000}")', "regular expression"),
        (r'message.channel == "fax" && message.words.matches("(\\w{1,90}\\s){1,3}$")', "regular expression"),
    ],
)
def test_a_condition_that_is_wrong_or_too_slow_is_never_run_and_says_why(expression: str, reason: str) -> None:
    rules = book(Rule("bad", expression, team="phones"))

    assert reason in rules.unusable()["bad"]
    assert rules.classify(REFUND_EN).trace[0][1].startswith("no match: ")


def test_a_rule_for_a_team_that_is_gone_never_matches() -> None:
    classified = book(Rule("old", "true", team="dissolved")).classify(REFUND_EN)

    assert (classified.team, classified.trace) == ("triage", (("old", "no match: there is no team dissolved"),))


def test_the_trace_of_a_failure_never_quotes_the_message() -> None:
    secret = mail("<6>", subject="PIN 4711", text="4711")

    for expression in (
        "message[message.subject] == 1",
        "message.subject + 1 == 2",
        "lower(message)",
        "int(message.text)",
    ):
        assert "4711" not in str(book(Rule("bad", expression)).classify(secret))


def test_one_comprehension_over_a_long_text_stays_quick() -> None:
    numbers = ", ".join(str(number % 10) for number in range(500))
    slow = Rule("slow", f'[{numbers}].exists(n, n > 100 || message.words.contains("no such words"))', team="billing")
    rules = book(slow)

    assert rules.unusable() == {}
    assert rules.classify(mail("<7>", text="很长的文字" * 10_000)).team == "triage"


def test_the_rules_of_the_documentation_can_all_be_used() -> None:
    page = (Path(__file__).parents[3] / "docs" / "routing.md").read_text()
    document = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    document.pop("kind")
    rules = Routing.model_validate(document).rules
    ready = RuleBook(
        Rules(
            tuple(Rule(each.name, each.when, each.set.team, each.set.priority, each.set.tags) for each in rules),
            {each.set.team or "triage": () for each in rules},
            "triage",
            Priority.NORMAL,
        )
    )
    classified = ready.classify(mail("<8>", subject="订单号：20261123", text="收到时冒烟了，要求 REFUND"))

    assert ready.unusable() == {}
    assert [rule for rule, _ in classified.trace] == ["refunds 退款", "safety 安全", "order number in the subject"]
