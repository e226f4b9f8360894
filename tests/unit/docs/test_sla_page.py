"""docs/sla.md: what it tells team leads is what the engine's rules do, in its tables and in its pictures."""

import re

import pytest

from tests.support.workspace_services import ROOT
from tests.unit.docs.sla_examples import EFFECTS, Example, at, cells, effects, examples, picture, pictures, play, told
from ticket_contracts.vocabulary import Metric

PAGE = (ROOT / "docs" / "sla.md").read_text(encoding="utf-8")
EXAMPLES = {example.name: example for example in examples(PAGE)}


@pytest.mark.parametrize("example", list(EXAMPLES.values()), ids=lambda example: example.name)
def test_an_example_says_what_the_clocks_do(example: Example) -> None:
    _, expected = play(PAGE, example)
    assert [row.clocks for row in example.rows] == expected
    assert [told(at(row.when)) for row in example.rows] == [row.when for row in example.rows]


@pytest.mark.parametrize("shown", list(pictures(PAGE)), ids=lambda shown: shown[0])
def test_a_picture_shows_what_its_example_says(shown: tuple[str, list[str], str]) -> None:
    name, clocks, text = shown
    case, _ = play(PAGE, EXAMPLES[name])
    assert text == picture(case, clocks, at(EXAMPLES[name].rows[-1].when))


@pytest.mark.parametrize("what", EFFECTS)
def test_the_table_of_events_says_what_each_does_to_each_clock(what: str) -> None:
    [row] = re.findall(rf"^\| {what} · [^|]* \|(.*)\|$", PAGE, re.MULTILINE)
    assert [cell.strip() for cell in row.split("|")] == effects(PAGE, what)


def test_every_event_of_the_table_is_tried() -> None:
    table = PAGE[PAGE.index("| event · 事件") : PAGE.index("## Business hours")]
    assert re.findall(r"^\| ([a-z -]+) · ", table, re.MULTILINE)[1:] == list(EFFECTS)


def test_every_metric_and_every_option_is_shown() -> None:
    shown = " ".join(row.clocks for example in EXAMPLES.values() for row in example.rows)
    assert [metric for metric in Metric if metric not in shown] == []
    options = {value for example in EXAMPLES.values() for value in example.options.values()}
    assert options == {"new_cycle", "continue", "ignore", "from_start", "from_now", "reset"}


def test_every_section_speaks_both_languages() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    chinese = re.compile(r"[\u4e00-\u9fff]")
    assert [section.splitlines()[0] for section in sections if not chinese.search(section)] == []


def test_a_clock_that_is_not_there_is_said_to_be_none() -> None:
    case, _ = play(PAGE, EXAMPLES["hours"])
    assert cells(case, "next_response") == "next_response none 无"
