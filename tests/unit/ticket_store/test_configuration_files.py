"""A directory of YAML: checked whole, and every problem says where it is and what to do."""

from pathlib import Path

import pytest

from ticket_store.configuration import ConfigurationRefused, load_directory
from ticket_store.documents import Calendar, Policy, Routing, Team

GOOD = {
    "people.yaml": """
kind: agent
name: anna
display_name: Anna
email: anna@example.org
---
kind: team
name: triage
display_name: Triage
members: [anna]
triage: true
---
kind: brand
name: acme
display_name: ACME
""",
    "sla/standard.yml": """
kind: calendar
name: hours
zone: Asia/Shanghai
country: CN
week:
  monday: ["09:00-12:30", "13:30-24:00"]
closed: [2026-12-25]
working:
  2026-12-26: ["10:00-14:00"]
---
kind: policy
name: standard
order: 10
match: {brands: [acme], channels: [email], teams: [triage]}
calendar: hours
targets:
  first_response: {normal: 4h, urgent: 30m}
""",
    "rules.yaml": """
kind: routing
name: rules
rules:
  - name: urgent words
    when: message.subject.contains("fire")
    set: {team: triage, priority: urgent, tags: [fire]}
""",
}


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def refusal(folder: Path, **changes: str) -> list[str]:
    """The problems of the good files, each of `changes` put in place of (or beside) the file of that name."""
    replaced = {name.replace("__", "/").replace("_dot_", "."): content for name, content in changes.items()}
    with pytest.raises(ConfigurationRefused) as caught:
        load_directory(write(folder, GOOD | replaced))
    return [str(problem) for problem in caught.value.problems]


def changed(name: str, old: str, new: str) -> dict[str, str]:
    assert old in GOOD[name]
    return {name.replace("/", "__").replace(".", "_dot_"): GOOD[name].replace(old, new)}


def test_a_good_directory_is_read_through_all_folders(tmp_path: Path) -> None:
    documents = load_directory(write(tmp_path, GOOD))

    assert sorted(document.kind for document in documents) == [
        "agent", "brand", "calendar", "policy", "routing", "team"
    ]  # fmt: skip
    assert {type(document) for document in documents} >= {Team, Calendar, Policy, Routing}


def test_an_empty_directory_is_a_mistake_and_not_a_wish_to_archive_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationRefused, match=r"no \.yaml file is in this directory"):
        load_directory(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("people.yaml", "email: anna", "e-mail: anna", "people.yaml: agent/anna: e-mail: there is no such field"),
        ("people.yaml", "display_name: Anna\n", "", "people.yaml: agent/anna: display_name: it is missing; add it"),
        ("people.yaml", "kind: brand", "kind: brnd", "people.yaml: document 3: kind: 'brnd' is no kind of document"),
        ("people.yaml", "members: [anna]", "members: [hana]", "team/triage: members: there is no agent named 'hana'"),
        ("people.yaml", "triage: true", "triage: false", "team: triage: no team takes what no rule matched"),
        ("people.yaml", "kind: agent", "kind: [", "people.yaml: not readable as YAML"),
        ("people.yaml", "name: anna\n", "name: anna\nname: anne\n", "people.yaml: not readable as YAML: 'name' is wri"),
        ("people.yaml", "kind: agent\nname: anna", "- anna", "people.yaml: not readable as YAML"),
        ("rules.yaml", "name: rules\n", "name: routes\n", "routing/routes: name: the one routing document is named"),
        ("rules.yaml", "team: triage", "team: fire", "routing/rules: rules.0.set.team: there is no team named 'fire'"),
        ("rules.yaml", '("fire")', '("fire"', "routing/rules: rules.0.when: not a CEL expression"),
        ("sla/standard.yml", "calendar: hours", "calendar: hors", "policy/standard: calendar: there is no calendar na"),
        ("sla/standard.yml", "brands: [acme]", "brands: [acne]", "policy/standard: match.brands: there is no brand na"),
        ("sla/standard.yml", "teams: [triage]", "teams: [x]", "policy/standard: match.teams: there is no team named"),
        ("sla/standard.yml", "normal: 4h", "normal: 4d", "policy/standard: targets.first_response.normal: it has anot"),
        ("sla/standard.yml", "normal: 4h", "normal: 0h", "targets.first_response.normal: a target of no time"),
        ("sla/standard.yml", "order: ", "pause_on: [open]\norder: ", "pause_on: clocks start while a ticket is open"),
        ("sla/standard.yml", "zone: Asia/Shanghai", "zone: Asia/Shangri-La", "calendar/hours: zone: 'Asia/Shangri-La'"),
        ("sla/standard.yml", "country: CN", "country: ZZ", "calendar/hours: country: no public holidays are known"),
        ("sla/standard.yml", "country: CN", "subdivision: XJ", "calendar/hours: subdivision: it needs a country"),
        ("sla/standard.yml", '"09:00-12:30", "13:30-24:00"', "", "calendar/hours: week: it never opens"),
        ("sla/standard.yml", "09:00-12:30", "25:00-26:30", "week.monday: 25:00-26:30 is not within 00:00-24:00"),
        ("sla/standard.yml", "09:00-12:30", "12:30-09:00", "week.monday: 12:30-09:00 and 13:30-24:00 overlap"),
        ("sla/standard.yml", "09:00-12:30", "09:00-14:30", "week.monday: 09:00-14:30 and 13:30-24:00 overlap"),
        ("sla/standard.yml", "10:00-14:00", "10:00-10:00", "working.2026-12-26: 10:00-10:00 has no length"),
        ("sla/standard.yml", '["10:00-14:00"]', "[]", "working.2026-12-26: it has no hours; give at least one"),
        ("sla/standard.yml", "order: ", "effective_from: 5\norder: ", "effective_from: write it out: a day as 2026-10"),
        ("sla/standard.yml", "closed: [2026-12-25]", 'closed: ["0"]', "closed.0: write it out: a day as 2026-10-01"),
        ("sla/standard.yml", "closed: [2026-12-25]", "closed: [5]", "closed.0: write it out: a day as 2026-10-01"),
        ("sla/standard.yml", "closed: [2026-12-25]", "closed: [2026-12-26]", "working.2026-12-26: the same date is un"),
        ("sla/standard.yml", "country: CN", "country: DE\nsubdivision: XX", "subdivision: 'XX' is not known for DE"),
        ("sla/standard.yml", "zone: Asia/Shanghai", "zone: Asia", "calendar/hours: zone: 'Asia' is no time zone"),
        ("sla/standard.yml", "zone: Asia/Shanghai", "zone: ../Asia", "calendar/hours: zone: '../Asia' is no time zone"),
        ("sla/standard.yml", "09:00-12:30", "０９:00-12:30", "calendar/hours: week.monday.0: it has another form"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_with_its_place_and_its_fix(
    tmp_path: Path, file: str, old: str, new: str, problem: str
) -> None:
    problems = refusal(tmp_path, **changed(file, old, new))

    assert any(problem in each for each in problems), problems


@pytest.mark.parametrize("status", ["new", "open"])
def test_rule_20_a_policy_whose_clocks_would_never_run_is_refused(tmp_path: Path, status: str) -> None:
    problems = refusal(tmp_path, **changed("sla/standard.yml", "order: ", f"pause_on: [pending, {status}]\norder: "))

    assert len(problems) == 1
    assert f"policy/standard: pause_on: clocks start while a ticket is {status}" in problems[0]


def test_all_files_are_judged_before_anything_is_refused(tmp_path: Path) -> None:
    problems = refusal(
        tmp_path,
        **changed("people.yaml", "display_name: ACME", "display_name: 7"),
        **changed("rules.yaml", "priority: urgent", "priority: very"),
    )

    assert [problem.split(": ")[:2] for problem in problems] == [
        ["people.yaml", "brand/acme"],
        ["rules.yaml", "routing/rules"],
    ]


def test_two_triage_teams_are_refused_by_name(tmp_path: Path) -> None:
    second = "kind: team\nname: second\ndisplay_name: Second\ntriage: true\n"

    assert refusal(tmp_path, second_dot_yaml=second) == [
        "team: triage: only one team may be the triage team, not second, triage"
    ]


def test_the_same_document_twice_is_refused_with_both_files(tmp_path: Path) -> None:
    again = "kind: brand\nname: acme\ndisplay_name: Other\n"

    assert refusal(tmp_path, second_dot_yaml=again) == [
        "second.yaml: brand/acme: name: it exists already in people.yaml; keep one"
    ]


def test_two_policies_of_one_order_are_refused_because_the_first_match_wins(tmp_path: Path) -> None:
    again = "kind: policy\nname: other\norder: 10\ncalendar: hours\ntargets: {}\n"

    assert any("standard has the same order" in problem for problem in refusal(tmp_path, z_dot_yaml=again))


def test_rules_of_one_name_are_refused_because_a_trace_could_not_tell_them_apart(tmp_path: Path) -> None:
    rule = '  - {name: urgent words, when: "true", set: {tags: [x]}}\n'

    problems = refusal(tmp_path, rules_dot_yaml=GOOD["rules.yaml"] + rule)
    assert problems == ["rules.yaml: routing/rules: rules: 2 rules are named 'urgent words', and a ticket's trace "
                        "could not tell them apart; rename"]  # fmt: skip


def test_norway_is_a_country_and_not_the_word_no(tmp_path: Path) -> None:
    files = GOOD | {"sla/standard.yml": GOOD["sla/standard.yml"].replace("country: CN", "country: NO")}

    (calendar,) = (each for each in load_directory(write(tmp_path, files)) if isinstance(each, Calendar))

    assert calendar.country == "NO"


NIGHTS = """\
kind: calendar
name: nights
week:
  sunday: ["22:00-06:00"]
  monday: ["{monday}"]
"""


def test_a_night_shift_runs_into_the_next_day(tmp_path: Path) -> None:
    nights = {"nights.yaml": NIGHTS.format(monday="06:00-12:00")}

    assert any(document.name == "nights" for document in load_directory(write(tmp_path, GOOD | nights)))


def test_a_night_shift_must_end_before_the_next_day_begins(tmp_path: Path) -> None:
    problems = refusal(tmp_path, nights_dot_yaml=NIGHTS.format(monday="05:00-12:00"))

    assert problems == [
        "nights.yaml: calendar/nights: week.monday: "
        "05:00-12:00 begins while the night shift of sunday still runs until 06:00"
    ]
