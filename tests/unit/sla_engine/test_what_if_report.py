"""What `firebreak what-if` prints: every row tells its metric, and the hours those of a time zone that is named."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sla_engine.commands.what_if import zone_of
from sla_engine.commands.what_if_report import print_json, print_tables
from sla_engine.domain.kept_promises import Hours, Results
from sla_engine.replay_histories import Answer
from tests.unit.sla_engine.case import a_policy, office, policies_of

UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
SHANGHAI, BERLIN, KOLKATA = (ZoneInfo(f"{name}") for name in ("Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata"))


def an_answer(hours: Hours) -> Answer:
    sides = {name: Results(tickets=2, hours=hours) for name in ("real", "supposed")}
    sides["real"].clocks.update(
        {
            ("first_response", "service", "normal", "18", "met"): 3,
            ("first_response", "repairs", "normal", "18", "breached"): 1,
            ("resolution", "service", "normal", "18", "breached"): 2,
        }
    )
    return Answer(sides)


@pytest.mark.parametrize("zone", [ZoneInfo("UTC"), SHANGHAI, BERLIN, KOLKATA], ids=str)
def test_hours_are_those_of_the_zone_in_every_season(zone: ZoneInfo) -> None:
    hours = Hours(zone, UNTIL)
    assert (hours.shifted is None) == (zone in (BERLIN, KOLKATA))
    for day in range(0, 366, 7):
        for minute in range(0, 24 * 60, 45):
            at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=minute)
            expected = f"{at.astimezone(zone):%H}"
            assert hours.of(at) == expected
            assert hours.shifted is None or hours.shifted[at.hour] == expected


def test_a_zone_changes_its_offset_in_the_minute_that_its_rules_say() -> None:
    in_berlin = [at for at in Hours(BERLIN, UNTIL).changes if at.year == 2026]
    assert in_berlin == [datetime(2026, month, day, 1, tzinfo=UTC) for month, day in ((3, 29), (10, 25))]
    in_gaza = Hours(ZoneInfo("Asia/Gaza"), UNTIL).changes
    assert datetime(2010, 3, 26, 22, 1, tzinfo=UTC) in in_gaza
    assert not Hours(KOLKATA, UNTIL).changes


def test_hours_of_a_zone_are_those_of_the_policies_calendars_where_all_have_one() -> None:
    one, other = office(zone=SHANGHAI), office(name="other", zone=BERLIN)
    assert zone_of(policies_of(a_policy(), calendars=(one, other))) == SHANGHAI  # no policy is on the other one
    both = policies_of(a_policy(), a_policy(name="second", calendar="other"), calendars=(one, other))
    assert zone_of(both).key == zone_of(policies_of()).key == "UTC"


def test_each_row_of_a_team_a_priority_and_an_hour_tells_its_metric(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    print_tables(an_answer(Hours(SHANGHAI, UNTIL)))
    rows = [line.strip("│ ").split() for line in capsys.readouterr().out.splitlines()]
    shown = [[cell for cell in row if cell not in "│┃"] for row in rows]
    for start in (["service", "first_response", "3"], ["service", "resolution", "0"], ["normal", "resolution", "0"]):
        assert any(row[:3] == start for row in shown), start
    assert any(row[:3] == ["18", "first_response", "3"] for row in shown)
    assert any(row[:3] == ["hour", "(Asia/Shanghai)", "metric"] for row in shown)


def test_for_scripts_the_zone_stands_beside_the_counts_and_each_metric_has_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_json(an_answer(Hours(BERLIN, UNTIL)))
    text = capsys.readouterr().out
    assert '"timezone": "Europe/Berlin"' in text
    assert '"by_metric_and_priority"' in text
