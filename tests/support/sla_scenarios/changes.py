"""Rules 16 to 35: pauses, ends, and changes of priority, holder, policy and calendar."""

from datetime import timedelta
from typing import Any

from tests.support.sla_scenarios.replies import ANSWER, ANSWERED, FIRST, FIRST_AND_LAST, FIRST_AND_NEXT, OPENED
from tests.support.sla_scenarios.scenario import AT_NOW, EDIT, FOLLOW_UP, TIME_PASSES, WEEKDAYS, Clock, Scenario

LAST: dict[str, Any] = {"resolution": {"normal": "8h", "urgent": "4h"}}
EVERY_METRIC: dict[str, Any] = {**FIRST, "update": {"normal": "2h"}, "resolution": {"normal": "8h"}}
IN_THE_FUTURE: dict[str, Any] = {"first_response": {"normal": "1h"}, "resolution": {"normal": "40bd"}}
OFFICE_WEEK = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}
REGRADED = (
    OPENED,
    ("mon 11:00", "agent", "sets pending"),
    ("mon 12:00", "agent", "sets open"),
    ("mon 12:30", "agent", "sets priority urgent"),
)
REOPENED = (OPENED, ("mon 12:00", "agent", "sets solved"), ("tue 12:00", "customer", "writes"))
EXPERTS: dict[str, Any] = {"targets": {"first_response": {"normal": "2h"}, "resolution": {"normal": "20h"}}}

CHANGES = (
    Scenario(
        16,
        "a pausing status freezes the business time used, and resuming moves due by the business time paused",
        [OPENED, ("mon 12:00", "agent", "sets pending"), ("tue 12:00", "agent", "sets open")],
        [Clock("resolution", "breached", due="wed 10:00")],
        {"targets": LAST},
    ),
    Scenario(
        16,
        "a customer's message resumes what waited for the customer",
        [OPENED, ("mon 12:00", "agent", "sets pending"), ("mon 13:00", "customer", "writes")],
        [Clock("resolution", "breached", due="tue 11:00")],
        {"targets": LAST},
    ),
    Scenario(
        16,
        "the policy says which statuses pause",
        [OPENED, ("mon 12:00", "agent", "sets pending"), ("mon 13:00", "agent", "sets on-hold")],
        [Clock("resolution", "paused", used=timedelta(hours=3))],
        {"targets": LAST, "pause_on": ["on-hold"]},
    ),
    Scenario(
        17,
        "a pause that begins and ends out of hours adds nothing",
        [OPENED, ("mon 18:00", "agent", "sets pending"), ("mon 22:00", "agent", "sets open")],
        [Clock("resolution", "breached", due="tue 10:00")],
        {"targets": LAST},
    ),
    Scenario(
        18,
        "by default resolution and update pause, and replies do not",
        [OPENED, ("mon 10:10", "agent", "sets pending")],
        [
            Clock("first_response", "breached", due="mon 11:00"),
            Clock("update", "paused"),
            Clock("resolution", "paused", used=timedelta(minutes=10)),
        ],
        {"targets": EVERY_METRIC},
    ),
    Scenario(
        18,
        "the policy says which metrics pause",
        [OPENED, ("mon 10:10", "agent", "sets pending")],
        [
            Clock("first_response", "paused", used=timedelta(minutes=10)),
            Clock("update", "breached", due="mon 12:00"),
            Clock("resolution", "breached", due="tue 10:00"),
        ],
        {"targets": EVERY_METRIC, "pauses": ["first_response"]},
    ),
    Scenario(
        19,
        "paused after a breach it stays breached, and lateness stops growing while paused",
        [
            OPENED,
            ("tue 12:00", "agent", "sets on-hold"),
            ("tue 15:00", "agent", "sets open"),
            ("tue 16:00", "agent", "sets solved"),
        ],
        [Clock("resolution", "breached", due="tue 10:00", stopped="tue 16:00", used=timedelta(hours=8 + 2 + 1))],
        {"targets": LAST},
    ),
    Scenario(
        21,
        "solved meets resolution; closed is not a second resolution",
        [OPENED, ("mon 12:00", "agent", "sets solved"), ("wed 12:00", "agent", "sets closed")],
        [Clock("resolution", "met", due="tue 10:00", stopped="mon 12:00")],
        {"targets": LAST},
    ),
    Scenario(
        22,
        "reopened under new_cycle a new resolution clock starts and the old one is kept",
        REOPENED,
        [
            Clock("resolution", "met", due="tue 10:00", stopped="mon 12:00"),
            Clock("resolution", "breached", cycle=2, started="tue 12:00", due="wed 12:00"),
        ],
        {"targets": LAST, "on_reopen": "new_cycle"},
    ),
    Scenario(
        22,
        "reopened under continue the clock goes on without the solved time",
        REOPENED,
        [Clock("resolution", "breached", started="mon 10:00", due="wed 10:00")],
        {"targets": LAST, "on_reopen": "continue"},
    ),
    Scenario(
        22,
        "reopened under ignore the clock stays as it ended",
        REOPENED,
        [Clock("resolution", "met", due="tue 10:00", stopped="mon 12:00")],
        {"targets": LAST, "on_reopen": "ignore"},
    ),
    Scenario(
        23,
        "a customer's reply to a closed ticket opens a follow-up ticket with clocks of its own",
        [OPENED, ("mon 10:30", "agent", "sets closed"), ("wed 10:00", "customer", "writes")],
        [
            Clock("first_response", "met", due="mon 11:00", stopped="mon 10:30"),
            Clock("first_response", "breached", ticket=FOLLOW_UP, started="wed 10:00", due="wed 11:00"),
        ],
    ),
    Scenario(
        23,
        "an agent's follow-up of a closed ticket has no clock before the customer writes, wherever they write",
        [
            OPENED,
            ("mon 10:30", "agent", "sets closed"),
            ("tue 10:00", "agent", "follows up"),
            ("wed 10:00", "customer", "writes"),
        ],
        [
            Clock("first_response", "met", due="mon 11:00", stopped="mon 10:30"),
            Clock("first_response", "breached", ticket=FOLLOW_UP, started="wed 10:00", due="wed 11:00"),
        ],
    ),
    *(
        Scenario(
            24,
            f"a machine that {what} on the customer's side reopens nothing and starts no clock",
            [
                *ANSWERED,
                ("mon 10:30", "customer", what),
                ("mon 12:00", "agent", "sets solved"),
                ("tue 12:00", "customer", what),
            ],
            [ANSWER, Clock("resolution", "met", due="tue 10:00", stopped="mon 12:00")],
            {"targets": {**FIRST_AND_NEXT, **LAST}},
        )
        for what in ("answers automatically", "bounces")
    ),
    Scenario(
        24,
        "a ticket opened by an automatic answer has no clock until somebody writes",
        [("mon 10:00", "customer", "answers automatically")],
        no_clock="automatic",
    ),
    Scenario(
        25,
        "a merged ticket's clocks are cancelled, its breaches stay, and what still comes goes to the target",
        [
            OPENED,
            ("mon 10:30", "customer", "writes", "target"),
            ("mon 10:40", "agent", "replies", "target"),
            ("mon 12:00", "agent", "sets pending"),
            ("mon 13:00", "agent", "merges into target"),
            TIME_PASSES,
            ("w2 mon 10:00", "customer", "writes"),
        ],
        [
            Clock("first_response", "breached", due="mon 11:00", stopped=AT_NOW),
            Clock("resolution", "cancelled", stopped=AT_NOW, used=timedelta(hours=2)),
            Clock("first_response", "met", ticket="target", due="mon 11:30", stopped="mon 10:40"),
            Clock("resolution", "breached", ticket="target", due="tue 10:30"),
            Clock("next_response", "breached", ticket="target", started="w2 mon 10:00", due="w2 mon 12:00"),
        ],
        {"targets": {**FIRST_AND_NEXT, **LAST}},
    ),
    Scenario(
        25,
        "a merge cycle is refused, and the target's clocks go on",
        [
            OPENED,
            ("mon 10:30", "customer", "writes", "target"),
            ("mon 11:30", "agent", "sets pending"),
            ("mon 11:30", "agent", "sets pending", "target"),
            ("mon 13:00", "agent", "merges into target"),
            TIME_PASSES,
            ("w2 mon 10:00", "agent", "merges into first", "target"),
            TIME_PASSES,
            ("w2 mon 11:00", "agent", "sets solved", "target"),
        ],
        [
            Clock("resolution", "cancelled", stopped=AT_NOW, used=timedelta(minutes=90)),
            Clock("resolution", "met", ticket="target", stopped="w2 mon 11:00", used=timedelta(hours=1)),
        ],
        {"targets": LAST},
    ),
    Scenario(
        26,
        "a ticket linked to a problem keeps its own clocks",
        [
            OPENED,
            ("mon 10:05", "customer", "writes", "problem"),
            ("mon 10:10", "agent", "names the problem problem"),
            ("mon 10:30", "agent", "sets solved", "problem"),
        ],
        [
            Clock("first_response", "breached", started="mon 10:00", due="mon 11:00"),
            Clock("first_response", "met", ticket="problem", due="mon 11:05", stopped="mon 10:30"),
        ],
    ),
    Scenario(
        27,
        "what the router calls spam, or comes from a blocked contact, has no clock",
        [("mon 10:00", "customer", "writes, as spam"), ("mon 11:00", "customer", "writes, as spam")],
        no_clock="spam",
    ),
    Scenario(
        27,
        "the clocks of what turns out to be spam are cancelled",
        [OPENED, ("mon 10:20", "agent", "marks spam")],
        [Clock("first_response", "cancelled", stopped="mon 10:20")],
    ),
    Scenario(
        28,
        "from_start counts the new target from the clock's start, pauses carried over",
        REGRADED,
        [Clock("resolution", "breached", started="mon 10:00", due="mon 15:00")],
        {"targets": LAST, "on_priority": "from_start"},
    ),
    Scenario(
        28,
        "from_now counts the new target from the change",
        REGRADED,
        [Clock("resolution", "breached", started="mon 10:00", due="mon 16:30")],
        {"targets": LAST, "on_priority": "from_now"},
    ),
    Scenario(
        28,
        "reset ends the clock and starts the next cycle",
        REGRADED,
        [
            Clock("resolution", "cancelled", stopped="mon 12:30"),
            Clock("resolution", "breached", cycle=2, started="mon 12:30", due="mon 16:30"),
        ],
        {"targets": LAST, "on_priority": "reset"},
    ),
    Scenario(
        29,
        "a priority that makes two clocks breach at once is told in one alert",
        [OPENED, ("mon 11:30", "agent", "sets priority urgent")],
        [Clock(metric, "breached", due="mon 11:30") for metric in ("first_response", "resolution")],
        {
            "targets": {
                "first_response": {"normal": "4h", "urgent": "30m"},
                "resolution": {"normal": "8h", "urgent": "1h"},
            }
        },
        told_in=1,
        becomes={"priority": "urgent"},
    ),
    Scenario(
        29,
        "an edited policy applies from its effective_from, and the version before it until then",
        [EDIT, ("tue 10:00", "customer", "writes"), ("wed 10:00", "customer", "writes", "later")],
        [
            Clock("first_response", "breached", due="tue 11:00", version=1),
            Clock("first_response", "breached", ticket="later", due="wed 12:00", version=2),
        ],
        {"targets": FIRST},
        edited={"targets": {"first_response": {"normal": "2h"}}, "effective_from": "@wed 00:00"},
    ),
    Scenario(
        29,
        "a policy enabled later makes nothing of the backlog late, though it is evaluated anew",
        [OPENED, ("thu 10:00", "admin", "reevaluates")],
        options={"effective_from": "@wed 00:00"},
        no_clock="no policy matches",
    ),
    Scenario(
        30,
        "a recorded breach survives a change of priority, team and policy",
        [
            ("mon 09:00", "customer", "writes, priority urgent"),
            ("mon 14:00", "agent", "sets priority normal"),
            ("mon 14:10", "agent", "hands to experts"),
            ("mon 14:20", "admin", "reevaluates"),
            ("mon 15:00", "agent", "sets solved"),
        ],
        [Clock("resolution", "breached", due="mon 13:00", stopped="mon 15:00", used=timedelta(hours=6))],
        {"targets": LAST},
        others={"experts": {"targets": {"resolution": {"normal": "20h"}}}},
    ),
    Scenario(
        31,
        "a team change that selects another policy cancels the running clocks and starts the new ones",
        [OPENED, ("mon 10:30", "agent", "hands to experts")],
        [
            Clock("first_response", "cancelled", stopped="mon 10:30", used=timedelta(minutes=30)),
            Clock("resolution", "cancelled", stopped="mon 10:30"),
            Clock("first_response", "breached", cycle=2, due="mon 12:00", policy="-experts"),
            Clock("resolution", "breached", cycle=2, due="wed 14:00", policy="-experts"),
        ],
        {"targets": FIRST_AND_LAST},
        others={"experts": EXPERTS},
    ),
    Scenario(
        32,
        "a ticket keeps the policy version that it was matched with",
        [OPENED, ("mon 12:00", "agent", "sets pending"), EDIT, ("mon 13:00", "agent", "sets open")],
        [Clock("resolution", "breached", due="tue 11:00", version=1)],
        {"targets": LAST},
        edited={"targets": {"resolution": {"normal": "4h"}}},
    ),
    Scenario(
        32,
        "evaluated anew by an explicit command it gets today's version, with the time used",
        [
            OPENED,
            ("mon 12:00", "agent", "sets pending"),
            EDIT,
            ("mon 13:00", "admin", "reevaluates"),
            ("mon 14:00", "agent", "sets open"),
        ],
        [
            Clock("resolution", "cancelled", stopped="mon 13:00", version=1),
            Clock("resolution", "breached", cycle=2, due="mon 16:00", version=2),
        ],
        {"targets": LAST},
        edited={"targets": {"resolution": {"normal": "4h"}}},
    ),
    Scenario(
        33,
        "the clocks of an archived policy go on",
        [OPENED, ("mon 12:00", "agent", "sets pending"), EDIT, ("mon 13:00", "agent", "sets open")],
        [Clock("resolution", "breached", due="tue 11:00", version=1)],
        {"targets": LAST},
        edited=None,
    ),
    Scenario(
        33,
        "no new ticket gets an archived policy",
        [EDIT, OPENED],
        edited=None,
        no_clock="no policy matches",
    ),
    Scenario(
        34,
        "a holiday added late recomputes the due time of running clocks and leaves finished ones as they were",
        [*ANSWERED, EDIT, ("now", "admin", "recalculates")],
        [ANSWER, Clock("resolution", "running", started="mon 10:00", due="w8 tue 10:00")],
        {"targets": IN_THE_FUTURE},
        calendar={"week": OFFICE_WEEK},
        edited_calendar={"week": OFFICE_WEEK, "closed": ["@w7 tue"]},
    ),
    Scenario(35, "without a policy there is no clock", [OPENED], options=None, no_clock="no policy matches"),
    Scenario(
        35,
        "without a priority there is no clock",
        [("mon 10:00", "customer", "writes, priority none")],
        no_clock="no priority",
    ),
    Scenario(
        35,
        "where the policy promises nothing there is no clock",
        [OPENED],
        options={"targets": {"first_response": {"urgent": "1h"}}},
        no_clock="promises nothing for priority normal",
    ),
    Scenario(
        35,
        "a priority set later starts the clocks from the customer's message",
        [("mon 10:00", "customer", "writes, priority none"), ("mon 10:20", "agent", "sets priority normal")],
        [Clock("first_response", "breached", started="mon 10:00", due="mon 11:00")],
    ),
)
