"""The HTTP surface of the configuration: read documents, plan, change one, look at versions, go back."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response

from crm_api.authenticate import Caller, require_administrator
from crm_api.configuration_views import (
    AppliedView,
    DocumentsView,
    DocumentView,
    FieldChangeView,
    HeadVersionView,
    PlannedChangeView,
    PlanRequest,
    PlanView,
    RollbackRequest,
    TouchedPartView,
    VersionsPage,
)
from crm_api.edit_configuration import (
    delete_document,
    known_kind,
    no_such_document,
    plan_documents,
    put_document,
    roll_back_to,
)
from crm_api.roll_out_routes import roll_out_url
from crm_api.routes import READ_PROBLEMS, WRITE_PROBLEMS, Cursor, Limit, PartsOf, Reader, of_every_route
from ticket_store.configuration import Applied, load
from ticket_store.configuration_history import list_versions
from ticket_store.configuration_plan import PlannedChange
from ticket_store.documents import Agent, Calendar, Document, Policy, Routing, Team
from ticket_store.workflow_documents import Taxonomy

router = APIRouter(prefix="/v1", dependencies=of_every_route, tags=["configuration"])

Administrator = Annotated[Caller, Depends(require_administrator)]
Kind = Annotated[str, Path(max_length=30, pattern="^[a-z]+$")]
DocumentName = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f/\ufffd]+$")]
"""U+FFFD stands in a path for what is no UTF-8."""
IfMatch = Annotated[
    str, Header(pattern=r'^("[0-9]{1,9}"|\*)$', description='version of the whole configuration, the ETag: `"7"`')
]


@router.get("/configuration/documents", responses=READ_PROBLEMS)
async def get_documents(
    _: Reader,
    parts: PartsOf,
    response: Response,
    kind: Annotated[str, Query(max_length=30, pattern="^[a-z]+$", description="of one kind only")] | None = None,
) -> DocumentsView:
    """Read what is in force."""
    return await _documents(parts, response, kind and known_kind(kind).kind)


@router.get("/configuration/documents/{kind}/{name}", responses=READ_PROBLEMS)
async def get_document(kind: Kind, name: DocumentName, _: Reader, parts: PartsOf, response: Response) -> DocumentView:
    """Read one document in force. The ETag is the version of the whole configuration."""
    found = await _documents(parts, response, known_kind(kind).kind)
    document = next((each for each in found.items if each.name == name), None)
    if document is None:
        raise no_such_document(kind, name)
    return document


@router.put("/configuration/documents/{kind}/{name}", responses=WRITE_PROBLEMS)
async def put_one(
    kind: Kind,
    name: DocumentName,
    body: Annotated[dict[str, Any], Body(description="the fields of the kind, without kind and name")],
    caller: Administrator,
    parts: PartsOf,
    response: Response,
    if_match: IfMatch = "*",
) -> AppliedView:
    """Add or replace one document. The whole configuration is checked before anything changes."""
    async with parts.configuration.acquire() as connection:
        return _applied(response, await put_document(connection, kind, name, body, caller, _expected(if_match)))


@router.delete("/configuration/documents/{kind}/{name}", responses=WRITE_PROBLEMS)
async def delete_one(
    kind: Kind, name: DocumentName, caller: Administrator, parts: PartsOf, response: Response, if_match: IfMatch = "*"
) -> AppliedView:
    """Archive one document: its versions stay readable, and tickets keep the policy version they hold."""
    async with parts.configuration.acquire() as connection:
        return _applied(response, await delete_document(connection, kind, name, caller, _expected(if_match)))


@router.post("/configuration/plan", responses=WRITE_PROBLEMS)
async def post_plan(body: PlanRequest, _: Reader, parts: PartsOf) -> PlanView:
    """Show what applying a whole configuration would change, and how many open tickets it touches."""
    async with parts.plan_turns.taken(), parts.configuration.acquire() as connection:
        planned = await plan_documents(connection, body.documents)
    return PlanView(
        head=planned.head, changes=[_planned(change) for change in planned.changes], unchanged=planned.unchanged
    )


@router.get("/configuration/versions", responses=READ_PROBLEMS)
async def get_versions(_: Reader, parts: PartsOf, cursor: Cursor = "", limit: Limit = 50) -> VersionsPage:
    """List the versions, the newest first: when, by whom, and what each changed."""
    async with parts.configuration.acquire() as connection:
        found = await list_versions(connection, int(cursor) if cursor else None, limit + 1)
    items = [
        HeadVersionView(
            version=each.version,
            applied_at=each.applied_at,
            applied_by=each.applied_by,
            rolled_back_to=each.rolled_back_to,
            changed=list(each.changed),
            added=list(each.added),
            archived=list(each.archived),
        )
        for each in found[:limit]
    ]
    return VersionsPage(items=items, next_cursor=str(items[-1].version) if len(found) > limit else None)


@router.post("/configuration/rollback", responses=WRITE_PROBLEMS)
async def post_rollback(
    body: RollbackRequest, caller: Administrator, parts: PartsOf, response: Response, if_match: IfMatch = "*"
) -> AppliedView:
    """Apply again what was in force at a version; that is a new version of its own."""
    async with parts.configuration.acquire() as connection:
        return _applied(response, await roll_back_to(connection, body.version, caller, _expected(if_match)))


def _listing(kind: type[Document]) -> Callable[..., Awaitable[DocumentsView]]:
    async def get_all(_: Reader, parts: PartsOf, response: Response) -> DocumentsView:
        return await _documents(parts, response, kind.kind)

    get_all.__doc__ = f"Read the {kind.kind} documents in force."
    return get_all


SHORT_NAMES: dict[str, type[Document]] = {
    "agents": Agent,
    "calendars": Calendar,
    "policies": Policy,
    "rules": Routing,
    "taxonomy": Taxonomy,
    "teams": Team,
}
for _path, _kind in SHORT_NAMES.items():
    router.add_api_route(f"/{_path}", _listing(_kind), methods=["GET"], responses=READ_PROBLEMS, name=f"get_{_path}")


async def _documents(parts: PartsOf, response: Response, kind: str | None) -> DocumentsView:
    async with parts.configuration.acquire() as connection:
        present = await load(connection)
    response.headers["ETag"] = f'"{present.version}"'
    items = [
        DocumentView(kind=of_kind, name=name, version=found.version, document=found.document.model_dump(mode="json"))
        for (of_kind, name), found in sorted(present.documents.items())
        if kind in (None, of_kind)
    ]
    return DocumentsView(version=present.version, items=items)


def _expected(if_match: str) -> int | None:
    return None if if_match == "*" else int(if_match.strip('"'))


def _applied(response: Response, applied: Applied) -> AppliedView:
    response.headers["ETag"] = f'"{applied.version}"'
    return AppliedView(
        version=applied.version,
        changed=["/".join(each) for each in applied.changed],
        archived=["/".join(each) for each in applied.archived],
        roll_out=roll_out_url(applied.roll_out) if applied.roll_out else None,
    )


def _planned(change: PlannedChange) -> PlannedChangeView:
    return PlannedChangeView(
        kind=change.kind,
        name=change.name,
        change=change.change,
        fields=[FieldChangeView(field=each.field, before=each.before, after=each.after) for each in change.fields],
        open_tickets=change.open_tickets,
        at_least=change.at_least,
        note=change.note,
        parts=[TouchedPartView(open_tickets=part.open_tickets, note=part.note) for part in change.parts],
    )
