"""A flow must let people lead every ticket under it to an end; what has no way out is named with its fix."""

from itertools import permutations

import pytest

from ticket_contracts import statuses
from ticket_contracts.vocabulary import Status
from ticket_store.configuration_findings import FoundDocument, Names
from ticket_store.flow_checks import may_follow, reachability
from ticket_store.workflow_documents import Flow, StatusName

PARTS = StatusName(name="waiting-for-parts", category=Status.ON_HOLD)
SEEN = StatusName(name="seen", category=Status.NEW)
Steps = dict[str, tuple[str, ...]]
WORK: Steps = {"new": ("open",), "open": ("solved",)}


def findings(allowed: Steps) -> list[tuple[str, str]]:
    return list(reachability(Flow(name="f", allowed=allowed), Names([FoundDocument(PARTS), FoundDocument(SEEN)])))


@pytest.mark.parametrize(
    ("allowed", "fix"),
    [
        ({"open": ("solved",)}, "from new on to solved or closed; add a line such as `new: [open]`"),
        ({"new": (), "open": ("closed",)}, "`new: [open]`"),
        ({"new": ("solved",)}, "`open: [solved]`"),
        ({**WORK, "open": ("pending", "solved")}, "`pending: [open]`, or let nothing lead to it"),
        ({**WORK, "open": ("waiting-for-parts", "solved")}, "`waiting-for-parts: [open]`"),
        ({**WORK, "open": ("pending", "solved"), "pending": ("new",)}, "`pending: [open]`"),
    ],
    ids=str,
)
def test_a_status_that_nobody_could_lead_a_ticket_out_of_is_refused(allowed: Steps, fix: str) -> None:
    [(field, told)] = findings(allowed)
    assert fix in told
    assert f"`{field.removeprefix('allowed.')}:" in told


def test_categories_that_lead_only_to_each_other_are_each_refused_once() -> None:
    round_trip: Steps = {**WORK, "new": ("open", "pending"), "pending": ("on-hold",), "on-hold": ("pending",)}
    assert [field for field, _ in findings(round_trip)] == ["allowed.on-hold", "allowed.pending"]


@pytest.mark.parametrize(
    "allowed",
    [
        WORK,
        {"new": ("solved",), "open": ("solved",)},
        {**WORK, "new": ("seen",), "seen": ("open",)},
        {**WORK, "open": ("waiting-for-parts", "solved"), "on-hold": ("open",)},
        {**WORK, "pending": ("open",), "on-hold": ("open",), "solved": ("closed",)},
        {**WORK, "solved": ("pending",)},
    ],
    ids=str,
)
def test_silence_on_solved_closed_and_what_is_not_used_is_accepted_and_so_is_a_line_for_what_others_hand_over(
    allowed: Steps,
) -> None:
    assert findings(allowed) == []


def test_the_checks_and_the_engine_know_the_same_rules_of_the_categories() -> None:
    for previous, status in permutations(Status, 2):
        assert may_follow(previous, status) is statuses.may_follow(previous, status), (previous, status)
