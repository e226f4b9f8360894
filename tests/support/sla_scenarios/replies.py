"""Rules 1 to 15: start, first response, next response and update."""

from typing import Any

from tests.support.sla_scenarios.scenario import TIME_PASSES, Alarm, Clock, Scenario

FIRST: dict[str, Any] = {"first_response": {"normal": "1h"}}
FIRST_AND_LAST: dict[str, Any] = {**FIRST, "resolution": {"normal": "8h"}}
FIRST_AND_NEXT: dict[str, Any] = {**FIRST, "next_response": {"normal": "2h"}}
OPENED = ("mon 10:00", "customer", "writes")
UNANSWERED = Clock("first_response", "breached", due="mon 11:00")
ANSWERED = (OPENED, ("mon 10:10", "agent", "replies"))
ANSWER = Clock("first_response", "met", due="mon 11:00", stopped="mon 10:10")

REPLIES = (
    Scenario(
        1,
        "a ticket opened by a customer in hours starts first_response at the message's time",
        [("mon 10:15", "customer", "writes")],
        [Clock("first_response", "breached", started="mon 10:15", due="mon 11:15")],
    ),
    Scenario(
        1,
        "a message of a trusted source counts from its own time, however late it reached us",
        [("mon 10:15", "customer", "writes, sent mon 10:05")],
        [Clock("first_response", "breached", started="mon 10:05", due="mon 11:05")],
    ),
    Scenario(
        2,
        "Friday 16:30 and one hour on a calendar from nine to five is due Monday 09:30",
        [("fri 16:30", "customer", "writes")],
        [Clock("first_response", "breached", started="fri 16:30", due="w1 mon 09:30")],
    ),
    Scenario(
        2,
        "opened out of hours, the clock starts at the next opening",
        [("fri 18:00", "customer", "writes")],
        [Clock("first_response", "breached", started="w1 mon 09:00", due="w1 mon 10:00")],
    ),
    Scenario(
        3,
        "a public agent reply meets it",
        [OPENED, ("mon 10:20", "agent", "replies")],
        [Clock("first_response", "met", due="mon 11:00", stopped="mon 10:20")],
    ),
    Scenario(3, "a private note does not meet it", [OPENED, ("mon 10:20", "agent", "notes")], [UNANSWERED]),
    Scenario(
        3,
        "a call logged by an agent counts as a reply where the policy says so",
        [OPENED, ("mon 10:20", "agent", "calls the customer")],
        [Clock("first_response", "met", due="mon 11:00", stopped="mon 10:20")],
        {"call_counts_as_reply": True},
    ),
    Scenario(
        3,
        "a call logged by an agent is no reply where the policy does not say so",
        [OPENED, ("mon 10:20", "agent", "calls the customer")],
        [UNANSWERED],
        {"call_counts_as_reply": False},
    ),
    Scenario(
        4,
        "an automated message never meets it",
        [OPENED, ("mon 10:01", "agent", "replies by template"), ("mon 10:02", "machine", "replies")],
        [UNANSWERED],
    ),
    *(
        Scenario(
            5,
            f"status changed to {status} without a reply does not meet it",
            [OPENED, ("mon 10:20", "agent", f"sets {status}")],
            [UNANSWERED],
        )
        for status in ("pending", "on-hold")
    ),
    Scenario(
        6,
        "solved without any reply before due, it closes as met at the time of solving",
        [OPENED, ("mon 10:59", "agent", "sets solved")],
        [Clock("first_response", "met", due="mon 11:00", stopped="mon 10:59")],
    ),
    Scenario(
        6,
        "solved without any reply after due, it closes as breached at the time of solving",
        [OPENED, ("mon 11:01", "agent", "sets solved")],
        [Clock("first_response", "breached", due="mon 11:00", stopped="mon 11:01")],
    ),
    Scenario(
        7,
        "opened by an agent with a public message, it is met by the next one after a customer's",
        [
            ("mon 10:00", "agent", "opens with a message"),
            ("mon 10:30", "agent", "replies"),
            ("mon 11:00", "customer", "writes"),
            ("mon 11:20", "agent", "replies"),
        ],
        [Clock("first_response", "met", started="mon 11:00", due="mon 12:00", stopped="mon 11:20")],
    ),
    Scenario(
        8,
        "opened with a private note, first_response starts at the customer's first message",
        [("mon 10:00", "agent", "opens with a note"), ("mon 14:00", "customer", "writes")],
        [Clock("first_response", "breached", started="mon 14:00", due="mon 15:00")],
    ),
    Scenario(
        8,
        "opened from a call that an agent took, first_response starts at the customer's first message",
        [("mon 10:00", "customer", "calls and is heard"), ("mon 14:00", "customer", "writes")],
        [
            Clock("resolution", "breached", started="mon 10:00", due="tue 10:00"),
            Clock("first_response", "breached", started="mon 14:00", due="mon 15:00"),
        ],
        {"targets": FIRST_AND_LAST},
    ),
    Scenario(
        8,
        "a missed call is a customer message",
        [("mon 10:00", "customer", "calls and nobody answers")],
        [Clock("first_response", "breached", started="mon 10:00", due="mon 11:00")],
    ),
    Scenario(
        9,
        "a reply after the due time is a breach even if no timer had fired yet",
        [OPENED, ("mon 11:30", "agent", "replies")],
        [Clock("first_response", "breached", due="mon 11:00", stopped="mon 11:30")],
    ),
    Scenario(
        9,
        "a reply at the due time itself is late",
        [OPENED, ("mon 11:00", "agent", "replies")],
        [Clock("first_response", "breached", due="mon 11:00", stopped="mon 11:00")],
    ),
    Scenario(
        9,
        "a reply dated before the due time that arrives after a recorded breach makes it met and withdraws the breach",
        [OPENED, TIME_PASSES, ("mon 10:40", "agent", "replies")],
        [Clock("first_response", "met", due="mon 11:00", stopped="mon 10:40")],
        alarms=[
            Alarm("mon 11:00", "first_response", "breach"),
            Alarm("mon 10:40", "first_response", "withdrawn"),
        ],
    ),
    Scenario(
        10,
        "three customer messages before a reply are one clock, from the oldest unanswered",
        [*ANSWERED, *((at, "customer", "writes") for at in ("mon 11:00", "mon 11:20", "mon 11:40"))],
        [ANSWER, Clock("next_response", "breached", started="mon 11:00", due="mon 13:00")],
        {"targets": FIRST_AND_NEXT},
    ),
    Scenario(
        11,
        "any customer-side participant's message starts it, not only the requester's",
        [*ANSWERED, ("mon 11:00", "colleague", "writes")],
        [ANSWER, Clock("next_response", "breached", started="mon 11:00", due="mon 13:00")],
        {"targets": FIRST_AND_NEXT},
    ),
    Scenario(
        12,
        "it does not exist before the first response was made",
        [
            OPENED,
            ("mon 10:20", "customer", "writes"),
            ("mon 10:30", "agent", "replies"),
            ("mon 10:40", "customer", "writes"),
        ],
        [
            Clock("first_response", "met", due="mon 11:00", stopped="mon 10:30"),
            Clock("next_response", "breached", started="mon 10:40", due="mon 12:40"),
        ],
        {"targets": FIRST_AND_NEXT},
    ),
    Scenario(
        13,
        "solving stops it",
        [*ANSWERED, ("mon 11:00", "customer", "writes"), ("mon 11:30", "agent", "sets solved")],
        [ANSWER, Clock("next_response", "met", due="mon 13:00", stopped="mon 11:30")],
        {"targets": FIRST_AND_NEXT},
    ),
    Scenario(
        13,
        "a reply clears it, and the next message is another cycle",
        [
            *ANSWERED,
            ("mon 11:00", "customer", "writes"),
            ("mon 11:30", "agent", "replies"),
            ("mon 12:00", "customer", "writes"),
        ],
        [
            ANSWER,
            Clock("next_response", "met", due="mon 13:00", stopped="mon 11:30"),
            Clock("next_response", "breached", cycle=2, started="mon 12:00", due="mon 14:00"),
        ],
        {"targets": FIRST_AND_NEXT},
    ),
    Scenario(
        14,
        "one breach per unanswered message, never one per check",
        [
            *ANSWERED,
            ("mon 11:00", "customer", "writes"),
            TIME_PASSES,
            TIME_PASSES,
            ("w2 tue 10:00", "customer", "writes"),
        ],
        [ANSWER, Clock("next_response", "breached", started="mon 11:00", due="mon 13:00")],
        {"targets": FIRST_AND_NEXT},
        alarms=[Alarm("mon 13:00", "next_response", "breach")],
    ),
    Scenario(
        15,
        "update restarts at every public agent message and is paused with the ticket",
        [
            OPENED,
            ("mon 11:00", "agent", "replies"),
            ("mon 11:10", "agent", "notes"),
            ("mon 11:30", "agent", "sets pending"),
            ("mon 12:30", "agent", "sets open"),
        ],
        [
            Clock("update", "met", due="mon 14:00", stopped="mon 11:00"),
            Clock("update", "breached", cycle=2, started="mon 11:00", due="mon 16:00"),
        ],
        {"targets": {"update": {"normal": "4h"}}},
    ),
)
