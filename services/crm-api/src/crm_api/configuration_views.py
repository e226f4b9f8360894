"""What the API says about the configuration, and what it is asked: closed models like all others."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from crm_api.requests import Request
from crm_api.responses import Response

MOST_DOCUMENTS = 5000
"""Of one plan. A body has 256 KiB at most, in which no more fit."""


class DocumentView(Response):
    """One document in force. `document` has the fields of its kind, as in docs/configuration.md."""

    kind: str
    name: str
    version: int = Field(description="of this document; tickets remember it of their policy")
    document: dict[str, Any]


class DocumentsView(Response):
    """Documents in force, by kind and name. `version` is that of the whole configuration, also the ETag."""

    version: int
    items: list[DocumentView]


class FieldChangeView(Response):
    """One value before and after, as JSON; `—` where there is none."""

    field: str
    before: str
    after: str


class TouchedPartView(Response):
    """Some of the open tickets that a document touches, and what is particular to them."""

    open_tickets: int
    note: str


class PlannedChangeView(Response):
    """What becomes of one document, and how many open tickets it touches; docs/configuration.md says when it does."""

    kind: str
    name: str
    change: Literal["added", "changed", "archived"]
    fields: list[FieldChangeView]
    open_tickets: int
    at_least: bool = Field(description="there may be more: `note` says which tickets were looked at")
    note: str = Field(description="what becomes of these tickets")
    parts: list[TouchedPartView] = Field(description="some of these tickets, and what is particular to them")


class PlanView(Response):
    """What applying these documents would do on top of version `head`; nothing was changed."""

    head: int
    changes: list[PlannedChangeView]
    unchanged: int


class AppliedView(Response):
    """What a change did. `roll_out` tells where the progress of moving running clocks stands, after a calendar's."""

    version: int
    changed: list[str]
    archived: list[str]
    roll_out: str | None


class HeadVersionView(Response):
    """One version of the whole configuration; documents are named `kind/name`."""

    version: int
    applied_at: AwareDatetime
    applied_by: str
    rolled_back_to: int | None
    changed: list[str] = Field(description="all that it brought, those that it added among them")
    added: list[str] = Field(description="not in force before")
    archived: list[str]


class VersionsPage(Response):
    """Versions, the newest first; `next_cursor` is null on the last page."""

    items: list[HeadVersionView]
    next_cursor: str | None


class RollOutView(Response):
    """A command to every ticket of a set, and how far it is."""

    id: UUID
    kind: Literal["recalculate", "reevaluate"]
    head: int = Field(description="version of the configuration when it was asked for")
    scope: dict[str, Any]
    tickets_told: int
    requested_by: str
    requested_at: AwareDatetime
    done_at: AwareDatetime | None
    url: str


class RollOutList(Response):
    """The newest first."""

    items: list[RollOutView]


class PlanRequest(Request):
    """A whole configuration: what is in force and not among the documents would be archived."""

    documents: Annotated[list[dict[str, Any]], Field(max_length=MOST_DOCUMENTS, description="each with its `kind`")]


class RollbackRequest(Request):
    """Which version's documents to apply again."""

    version: Annotated[int, Field(ge=1, le=2**31, strict=True)]
