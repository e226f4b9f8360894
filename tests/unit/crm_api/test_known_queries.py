"""A query parameter that a route does not know is refused by its name, on every route."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from crm_api.application import build_application
from crm_api.known_queries import LONGEST_NAME, MOST_NAMED

APP = build_application(None)
PLACES = {"ticket_id": UUID(int=1), "command_id": UUID(int=1), "rollout_id": UUID(int=1), "kind": "team", "name": "a"}


def operations() -> Iterator[tuple[str, str, list[str]]]:
    """Yield method, path and query parameters of everything in the OpenAPI document."""
    for path, methods in APP.openapi()["paths"].items():
        for method, operation in methods.items():
            known = [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"]
            yield method.upper(), path.format(**PLACES), known


async def refused(method: str, path: str, names: list[str]) -> list[dict[str, str]]:
    """Send the parameters; nothing behind the refusal is reached, for there are no parts."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://api") as client:
        answer = await client.request(method, path, params=dict.fromkeys(names, "x"))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-request"), answer.text
    errors: list[dict[str, str]] = answer.json()["errors"]
    return errors


@pytest.mark.parametrize(("method", "path", "known"), list(operations()), ids=str)
async def test_every_route_names_what_it_does_not_know_and_what_it_does(
    method: str, path: str, known: list[str]
) -> None:
    [error] = await refused(method, path, [*known, "tagg"])
    assert error["field"] == "query.tagg"
    assert error["fix"].removeprefix("send only ").split(", ") == known or not known


async def test_a_query_of_many_and_long_names_is_not_repeated_whole() -> None:
    errors: list[Any] = await refused("GET", "/v1/tickets", ["x" * 1000, *(f"n{number}" for number in range(100))])
    assert len(errors) == MOST_NAMED
    assert errors[0]["field"] == "query." + "x" * LONGEST_NAME
