"""A deliberately breaking change is found, a harmless one is not."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, create_model

from ticket_contracts.compatibility import breaking_changes
from ticket_contracts.tickets import TicketOpened


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class MoreColours(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class FewerColours(StrEnum):
    RED = "red"


class Part(BaseModel):
    weight: int


class ChangedPart(BaseModel):
    weight: str


class Tree(BaseModel):
    """Contains itself."""

    children: list["Tree"] = []


FIELDS: dict[str, Any] = {
    "id": (UUID, ...),
    "name": (Annotated[str, Field(min_length=1, max_length=10, pattern="^a")], ...),
    "count": (Annotated[int, Field(ge=0, le=9)], 1),
    "colour": (Colour, Colour.RED),
    "note": (str | None, None),
    "parts": (tuple[Part, ...], ()),
    "by_name": (dict[str, Part], {}),
    "tree": (Tree | None, None),
}


def schema(**changes: Any) -> dict[str, Any]:
    """The schema of `FIELDS` with changes; a field of None is left out."""
    fields = {name: field for name, field in (FIELDS | changes).items() if field is not None}
    made: type[BaseModel] = create_model("Event", **fields)
    return made.model_json_schema()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"note": None}, "$.note: was removed"),
        ({"note": None, "remark": (str | None, None)}, "$.note: was removed"),  # a rename
        ({"added": (str, ...)}, "$.added: is required now"),
        ({"count": (Annotated[int, Field(ge=0, le=9)], ...)}, "$.count: is required now"),
        ({"id": (UUID | None, None)}, "$.id: is optional now"),
        ({"id": (str, ...)}, "$.id: format changed"),
        ({"count": (Annotated[float, Field(ge=0, le=9)], 1)}, "$.count: type changed"),
        ({"count": (Annotated[int, Field(ge=0, le=9)], 2)}, "$.count: default changed"),
        ({"count": (Annotated[int, Field(ge=1, le=9)], 1)}, "$.count: minimum became narrower"),
        ({"count": (Annotated[int, Field(ge=0, le=8)], 1)}, "$.count: maximum became narrower"),
        ({"name": (Annotated[str, Field(min_length=1, max_length=9, pattern="^a")], ...)}, "$.name: maxLength became"),
        ({"name": (Annotated[str, Field(min_length=2, max_length=10, pattern="^a")], ...)}, "$.name: minLength became"),
        ({"name": (Annotated[str, Field(min_length=1, max_length=10, pattern="^b")], ...)}, "$.name: pattern changed"),
        ({"colour": (FewerColours, FewerColours.RED)}, "$.colour: the enumeration lost blue"),
        ({"note": (str, "")}, "$.note: "),
        ({"note": (int | None, None)}, "$.note: type changed"),
        ({"parts": (tuple[ChangedPart, ...], ())}, "$.parts[].weight: type changed"),
        ({"parts": (Annotated[tuple[Part, ...], Field(max_length=3)], ())}, "$.parts: maxItems became narrower"),
        ({"by_name": (dict[str, ChangedPart], {})}, "$.by_name[].weight: type changed"),
        ({"tree": (Part | None, None)}, "$.tree.children: was removed"),
    ],
)
def test_a_breaking_change_is_found_and_named(changes: dict[str, Any], reason: str) -> None:
    found = breaking_changes(schema(), schema(**changes))

    assert any(each.startswith(reason) for each in found), found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"added": (str | None, None)},
        {"added": (list[Part], [])},
        {"count": (Annotated[int, Field(ge=-1, le=10)], 1)},
        {"count": (int, 1)},
        {"colour": (MoreColours, MoreColours.RED)},
        {"note": (Annotated[str | None, Field(description="what the agent noted")], None)},
    ],
)
def test_what_readers_can_live_with_is_let_through(changes: dict[str, Any]) -> None:
    assert breaking_changes(schema(), schema(**changes)) == []


def test_a_real_event_that_loses_a_field_of_a_part_is_found() -> None:
    before = TicketOpened.model_json_schema()
    after = TicketOpened.model_json_schema()
    del after["$defs"]["TicketSummary"]["properties"]["team"]
    after["$defs"]["TicketSummary"]["required"].remove("team")

    assert breaking_changes(before, after) == ["$.ticket.team: was removed; readers rely on it (a rename is a removal)"]


def test_closing_an_open_schema_is_found() -> None:
    closed = {**schema(), "additionalProperties": False}

    assert breaking_changes(schema(), closed) == ["$: additionalProperties changed from absent to False"]
