"""What a plan says of tickets under a flow is what the engine would do with them."""

from itertools import product

import pytest

from sla_engine.domain import workflow as engine
from tests.unit.sla_engine.case import AGENT, TICKET_ID, a_summary
from ticket_contracts.commands import SetStatus
from ticket_contracts.statuses import flow_of
from ticket_contracts.vocabulary import Status
from ticket_store.flow_checks import categories_of
from ticket_store.touched_workflow import Place, goes_on
from ticket_store.workflow_documents import Flow, StatusName

NAMED = [StatusName(name="waiting-for-parts", category=Status.ON_HOLD)]
CATEGORIES = categories_of(NAMED)
FLOWS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"new": ("open",), "open": ("solved",)},
    {"new": ("open",), "open": ("on-hold", "solved"), "on-hold": ("open",)},
    {"new": ("open",), "open": ("solved",), "on-hold": ("waiting-for-parts",), "pending": ("pending",)},
    {"new": ("open",), "open": ("solved",), "waiting-for-parts": ("on-hold",)},
)
PLACES = [(status, None) for status in Status if status not in (Status.SOLVED, Status.CLOSED)]
NAMES = [
    (Status.ON_HOLD, "waiting-for-parts"),
    (Status.ON_HOLD, "archived long ago"),
    (Status.PENDING, "waiting-for-parts"),
]


@pytest.mark.parametrize(("allowed", "place"), list(product(FLOWS, [*PLACES, *NAMES])), ids=str)
def test_a_ticket_goes_on_where_the_engine_lets_an_agent_change_its_status(
    allowed: dict[str, tuple[str, ...]], place: tuple[Status, str | None]
) -> None:
    flow, (status, name) = Flow(name="f", allowed=allowed), place
    steps = {each: frozenset(following) for each, following in allowed.items()}
    work = engine.Workflow(
        statuses={each.name: each.category for each in NAMED}, flows=(engine.Flow("f", frozenset(), steps),)
    )
    ticket = a_summary(status=status, status_name=name)
    wishes = [SetStatus(ticket_id=TICKET_ID, actor=AGENT, status=each) for each in Status]
    wishes += [
        SetStatus(ticket_id=TICKET_ID, actor=AGENT, status=each.category, status_name=each.name) for each in NAMED
    ]
    others = [each for each in wishes if (each.status, each.status_name) != (status, name)]
    possible = any(not work.refusal_of_status(ticket, wish) for wish in others)
    assert goes_on(Place("service", status, name, 1), flow, CATEGORIES) == possible


def test_the_flow_of_a_team_is_its_own_else_the_one_for_all() -> None:
    own, rest = Flow(name="own", teams=("service",), allowed={}), Flow(name="rest", allowed={})
    assert flow_of("service", [rest, own]) is own
    assert flow_of("other", [rest, own]) is rest
    assert flow_of("other", [own]) is None
