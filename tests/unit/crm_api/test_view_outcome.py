"""What a caller reads of each outcome."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from crm_api.send_command import view_outcome
from service_kit.problems import ProblemError
from ticket_contracts.commands import Actor, SetStatus
from ticket_contracts.vocabulary import ActorKind, Status

TICKET = UUID("01940000-0000-7000-8000-000000000001")
COMMAND_ID = UUID("01940000-0000-7000-8000-000000000002")
COMMAND = SetStatus(ticket_id=TICKET, actor=Actor(kind=ActorKind.AGENT, id="li"), status=Status.SOLVED)


def outcome(kind: str, **changes: object) -> Any:
    values = {"outcome": kind, "reason": "because", "version": 4, "ticket_id": TICKET}
    return SimpleNamespace(**{**values, "content_hash": COMMAND.fingerprint(), **changes})


def test_no_outcome_yet_is_pending_with_its_url() -> None:
    view = view_outcome(COMMAND_ID, TICKET, COMMAND.fingerprint(), None)
    assert (view.outcome, view.url) == ("pending", f"/v1/commands/{COMMAND_ID}")


@pytest.mark.parametrize("kind", ["applied", "no-op"])
def test_a_decided_command_shows_the_version_afterwards(kind: str) -> None:
    view = view_outcome(COMMAND_ID, TICKET, COMMAND.fingerprint(), outcome(kind))
    assert (view.outcome, view.version) == (kind, 4)


@pytest.mark.parametrize(("kind", "status"), [("rejected", 409), ("conflict", 412), ("expired", 409), ("failed", 422)])
def test_a_refused_command_is_a_problem(kind: str, status: int) -> None:
    with pytest.raises(ProblemError) as caught:
        view_outcome(COMMAND_ID, TICKET, COMMAND.fingerprint(), outcome(kind))
    assert caught.value.problem.status == status
    assert caught.value.problem.detail == "because"


def test_a_key_used_for_another_body_names_the_header() -> None:
    with pytest.raises(ProblemError) as caught:
        view_outcome(COMMAND_ID, TICKET, COMMAND.fingerprint(), outcome("applied", content_hash=b"0" * 32))
    assert caught.value.problem.status == 422
    assert caught.value.problem.errors[0].field == "header.idempotency-key"
