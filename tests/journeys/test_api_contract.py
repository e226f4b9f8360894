"""The running API keeps to its OpenAPI document, whatever it is sent."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.agent_desk import AgentDesk
from tests.support.channels_in import ChannelsIn, unique
from tests.support.stack import Stack

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()]  # type: ignore[union-attr]  # ours is valid
# What a schema allows, the present state may refuse: 412 for an old If-Match, 422 for a used Idempotency-Key or for a
# document that does not fit the others.
STATEFUL = [positive_data_acceptance]
REQUESTS = 40  # per operation: some seconds in all, and enough to reach every parameter with bad and good values


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
async def test_every_answer_is_one_that_the_document_promises(
    operation: Any, stack: Stack, desk: AgentDesk, customers: ChannelsIn
) -> None:
    subject = unique("for the contract")
    await customers.through_shop(customers.shop.message("x", subject=subject))
    ticket = await desk.find_ticket(subject)
    await asyncio.to_thread(send_generated, operation, stack, ticket["ticket_id"])


def send_generated(operation: Any, stack: Stack, ticket_id: str) -> None:
    """Send generated requests, half of them to a ticket that exists, and check every answer."""
    key = {"Authorization": f"Bearer {stack.api_key.strip()}"}
    numbers = iter(range(10**6))

    @settings(
        max_examples=REQUESTS,
        deadline=None,  # a command waits for its outcome
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        if "ticket_id" in (case.path_parameters or {}) and next(numbers) % 2:
            case.path_parameters["ticket_id"] = ticket_id
        case.call_and_validate(
            base_url=stack.api.removesuffix("/v1"),
            headers=key,
            excluded_checks=[] if case.method == "GET" else STATEFUL,
        )

    send()
