"""Rules 36 to 47: calendar arithmetic, alerts, and imported history."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.support.sla_scenarios.changes import EXPERTS, LAST
from tests.support.sla_scenarios.replies import FIRST_AND_LAST, OPENED
from tests.support.sla_scenarios.scenario import TIME_PASSES, WEEKDAYS, Alarm, Clock, Scenario

WARNED: dict[str, Any] = {"warnings": [50, 75, 90]}
LAST_WARNED: dict[str, Any] = {"targets": {"resolution": {"normal": "1h"}}, **WARNED}
DURING_THE_NIGHT: dict[str, Any] = {
    "zone": "America/New_York",
    "week": {day: ["00:00-08:00"] for day in WEEKDAYS},
}
CHINA: dict[str, Any] = {
    "zone": "Asia/Shanghai",
    "country": "CN",
    "week": {day: ["09:00-17:00"] for day in WEEKDAYS[:5]},
}

TELLING: dict[str, Any] = {"name": "tell", "at": "breach", "notify": [{"to": "agent", "name": "li.wei"}]}


def _steps(metric: str, *steps: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the options of a policy that promises an hour, with steps that follow its clock."""
    targets = {metric: {"normal": "1h", "high": "1h"}}
    return {"targets": targets, "escalations": [{**TELLING, "metric": metric, **step} for step in steps], **options}


def _warnings(metric: str, *times: str) -> list[Alarm]:
    return [Alarm(at, metric, share) for at, share in zip(times, ("50", "75", "90"), strict=False)]


def _chinese(sentence: str, written: str, due: str, **calendar: Any) -> Scenario:
    return Scenario(
        38,
        sentence,
        [(written, "customer", "writes")],
        [Clock("first_response", "breached", started=written, due=due)],
        calendar={**CHINA, **calendar},
    )


CALENDARS = (
    Scenario(
        36,
        "a lunch break does not count",
        [("mon 11:30", "customer", "writes")],
        [Clock("first_response", "breached", due="mon 13:30")],
        calendar={"week": {"monday": ["09:00-12:00", "13:00-17:00"]}},
    ),
    Scenario(
        36,
        "an overnight shift belongs to the day on which it begins",
        [("tue 05:30", "customer", "writes")],
        [Clock("first_response", "breached", started="tue 05:30", due="w1 mon 22:30")],
        calendar={"week": {"monday": ["22:00-06:00"]}},
    ),
    Scenario(
        36,
        "an interval that ends at 24:00 joins the next day",
        [("mon 23:30", "customer", "writes")],
        [Clock("first_response", "breached", due="tue 00:30")],
        calendar={"week": {day: ["00:00-24:00"] for day in WEEKDAYS}},
    ),
    Scenario(
        37,
        "a night of which the clock skips an hour has seven hours until eight",
        [("2025-03-09T00:00-05:00", "customer", "writes")],
        [Clock("resolution", "breached", due="2025-03-10T01:00-04:00")],
        {"targets": LAST},
        calendar=DURING_THE_NIGHT,
    ),
    Scenario(
        37,
        "a night of which the clock shows an hour twice has nine hours until eight",
        [("2025-11-02T00:00-04:00", "customer", "writes")],
        [Clock("resolution", "breached", due="2025-11-02T07:00-05:00")],
        {"targets": LAST},
        calendar=DURING_THE_NIGHT,
    ),
    _chinese(
        "the Spring Festival of 2024 is closed, and the Sunday after it works",
        "2024-02-09T16:30+08:00",
        "2024-02-18T09:30+08:00",
    ),
    _chinese("the National Day of 2025 is closed until the ninth", "2025-09-30T16:30+08:00", "2025-10-09T09:30+08:00"),
    _chinese("a make-up Saturday of 2025 works", "2025-10-10T16:30+08:00", "2025-10-11T09:30+08:00"),
    _chinese("after the New Year of 2026 the Sunday works", "2025-12-31T16:30+08:00", "2026-01-04T09:30+08:00"),
    _chinese(
        "own dates outrank the library's",
        "2025-10-10T16:30+08:00",
        "2025-10-12T10:30+08:00",
        closed=["2025-10-11"],
        working={"2025-10-12": ["10:00-12:00"]},
    ),
    Scenario(
        39,
        "one business day is the calendar's opening time of a working day",
        [OPENED],
        [Clock("resolution", "breached", due="tue 10:00")],
        {"targets": {"resolution": {"normal": "1bd"}}},
    ),
    Scenario(
        39,
        "twenty-four hours are three business days of eight",
        [OPENED],
        [Clock("resolution", "breached", due="thu 10:00")],
        {"targets": {"resolution": {"normal": "24h"}}},
    ),
    Scenario(
        41,
        "a ticket moved between calendars sums each part in the calendar in force",
        [("mon 15:00", "customer", "writes"), ("mon 17:00", "agent", "hands to experts")],
        [
            Clock("resolution", "cancelled", stopped="mon 17:00", used=timedelta(hours=2)),
            Clock("resolution", "breached", cycle=2, due="mon 23:00"),
        ],
        {"targets": LAST},
        others={"experts": {"targets": LAST, "calendar": "always"}},
    ),
)

ALERTS = (
    Scenario(
        42,
        "warnings come at 50, 75 and 90 percent of the business time and at breach, each once",
        [("fri 16:30", "customer", "writes")],
        [Clock("first_response", "breached", due="w1 mon 09:30")],
        WARNED,
        alarms=[
            *_warnings("first_response", "fri 17:00", "w1 mon 09:15", "w1 mon 09:24"),
            Alarm("w1 mon 09:30", "first_response", "breach"),
        ],
    ),
    Scenario(
        42,
        "the thresholds are the policy's",
        [OPENED],
        [Clock("first_response", "breached", due="mon 11:00")],
        {"warnings": [20]},
        alarms=[Alarm("mon 10:12", "first_response", "20"), Alarm("mon 11:00", "first_response", "breach")],
    ),
    Scenario(
        42,
        "of thresholds already past when the clock starts only the highest is given",
        [("mon 10:50", "customer", "writes, sent mon 10:00")],
        [Clock("first_response", "breached", due="mon 11:00")],
        WARNED,
        alarms=[
            Alarm("mon 10:45", "first_response", "75"),
            Alarm("mon 10:54", "first_response", "90"),
            Alarm("mon 11:00", "first_response", "breach"),
        ],
    ),
    Scenario(
        42,
        "a threshold given before a pause is not given again after it",
        [OPENED, ("mon 10:40", "agent", "sets pending"), ("mon 12:00", "agent", "sets open")],
        [Clock("resolution", "breached", due="mon 12:20")],
        LAST_WARNED,
        alarms=[
            *_warnings("resolution", "mon 10:30", "mon 12:05", "mon 12:14"),
            Alarm("mon 12:20", "resolution", "breach"),
        ],
    ),
    Scenario(
        44,
        "a clock met before its times, though the engine was down meanwhile, alarms nobody",
        [OPENED, ("mon 10:29", "agent", "replies")],
        [Clock("first_response", "met", due="mon 11:00", stopped="mon 10:29")],
        WARNED,
    ),
    Scenario(
        44,
        "a clock paused at its times, though the engine was down meanwhile, alarms nobody",
        [OPENED, ("mon 10:29", "agent", "sets pending")],
        [Clock("resolution", "paused")],
        LAST_WARNED,
    ),
    Scenario(
        44,
        "a clock cancelled before its times, though the engine was down meanwhile, alarms nobody",
        [OPENED, ("mon 10:29", "agent", "marks spam")],
        [Clock("first_response", "cancelled", stopped="mon 10:29")],
        WARNED,
    ),
    Scenario(
        44,
        "after an outage exactly those alerts are given that event time demands",
        [OPENED, ("mon 10:50", "agent", "replies")],
        [Clock("first_response", "met", due="mon 11:00", stopped="mon 10:50")],
        WARNED,
        alarms=_warnings("first_response", "mon 10:30", "mon 10:45"),
    ),
    *(
        Scenario(
            45,
            sentence,
            [("mon 15:30", "customer", "writes"), TIME_PASSES, ("w2 mon 10:00", "agent", "notes")],
            [Clock("first_response", "breached", due="mon 16:30")],
            _steps("first_response", {}, {"name": "tell again", "at": "breach+2h", **asked}),
            alarms=[
                Alarm("mon 16:30", "first_response", "breach"),
                Alarm("mon 16:30", "first_response", "step tell"),
                Alarm(again, "first_response", "step tell again"),
            ],
            told_in=1,
            tells={"li.wei"},
        )
        for sentence, again, asked in (
            ("steps come at the breach and after it, each once and not out of hours", "tue 10:30", {}),
            ("a step after the breach comes out of hours where it is asked to", "mon 18:30", {"out_of_hours": True}),
        )
    ),
    Scenario(
        45,
        "a step waits for as long as the late clock is paused, and is taken once though the clock goes on",
        [OPENED, ("mon 11:30", "agent", "sets pending"), ("mon 12:30", "agent", "sets open"), TIME_PASSES],
        [Clock("resolution", "breached", due="mon 11:00")],
        _steps("resolution", {}, {"name": "tell again", "at": "breach+1h"}),
        alarms=[
            Alarm("mon 11:00", "resolution", "breach"),
            Alarm("mon 11:00", "resolution", "step tell"),
            Alarm("mon 13:00", "resolution", "step tell again"),
        ],
    ),
    Scenario(
        45,
        "no step is taken of a clock that was met before its time, though the engine was down meanwhile",
        [OPENED, ("mon 10:40", "agent", "replies")],
        [Clock("first_response", "met", due="mon 11:00", stopped="mon 10:40")],
        _steps("first_response", {"name": "early", "at": "warning:50"}, {}, warnings=[50]),
        alarms=[Alarm("mon 10:30", "first_response", "50"), Alarm("mon 10:30", "first_response", "step early")],
        tells={"li.wei"},
    ),
    Scenario(
        45,
        "a step hands the ticket to another team, whose policy goes on with what still runs",
        [OPENED, TIME_PASSES],
        [
            Clock("first_response", "breached", due="mon 11:00"),
            Clock("resolution", "cancelled", stopped="mon 11:00", used=timedelta(hours=1)),
            Clock("resolution", "breached", cycle=2, due="wed 14:00", policy="-experts"),
        ],
        {
            "targets": FIRST_AND_LAST,
            "escalations": [
                {"name": "hand over", "metric": "first_response", "at": "breach", "reassign_team": "experts"}
            ],
        },
        others={"experts": EXPERTS},
        alarms=[
            Alarm("mon 11:00", "first_response", "breach"),
            Alarm("mon 11:00", "first_response", "step hand over"),
            Alarm("wed 14:00", "resolution", "breach", cycle=2),
        ],
        becomes={"team": "experts", "priority": "normal"},
    ),
    Scenario(
        45,
        "a step raises the priority, and the clock gets the target of that",
        [OPENED, ("mon 15:00", "agent", "sets solved")],
        [Clock("resolution", "breached", due="mon 14:00", stopped="mon 15:00")],
        {
            "targets": {"resolution": {"normal": "6h", "high": "4h", "urgent": "2h"}},
            "warnings": [50],
            "escalations": [{"name": "hurry", "metric": "resolution", "at": "warning:50", "raise_priority": True}],
        },
        alarms=[
            Alarm("mon 13:00", "resolution", "50"),
            Alarm("mon 13:00", "resolution", "step hurry"),
            Alarm("mon 14:00", "resolution", "breach"),
        ],
        tells=frozenset(),
        becomes={"team": "service", "priority": "high"},
    ),
    Scenario(
        47,
        "imported history uses original times and raises no alerts",
        [("now", "operator", "imports the ticket")],
        [
            Clock("first_response", "breached", started="mon 10:00", due="mon 11:00", stopped="mon 12:00"),
            Clock("resolution", "breached", due="wed 10:00", stopped="wed 11:00", used=timedelta(hours=9)),
        ],
        {"targets": {"first_response": {"normal": "1h"}, **LAST}, **WARNED},
        alarms=[],
        history=[
            ("mon 10:00", "customer", "writes"),
            ("mon 12:00", "agent", "replies"),
            ("mon 13:00", "agent", "sets pending"),
            ("tue 13:00", "agent", "sets open"),
            ("wed 11:00", "agent", "sets solved"),
        ],
    ),
)
