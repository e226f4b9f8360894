"""The HTTP surface of /v1: parse, call one use case, answer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.security import HTTPBearer
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.authenticate import Caller, require_reader, require_writer
from crm_api.await_outcomes import read_outcomes
from crm_api.command_request import CommandRequest
from crm_api.exchange_requests import FollowUp
from crm_api.explain_sla import explain_sla
from crm_api.known_queries import refuse_unknown_query
from crm_api.list_tickets import TicketFilter, list_tickets
from crm_api.open_ticket import open_ticket
from crm_api.opening_requests import NewTicket
from crm_api.parts import Parts
from crm_api.read_links import read_links
from crm_api.read_ticket import read_messages, read_ticket, read_timeline
from crm_api.responses import (
    CommandView,
    DecidedCommand,
    LinkList,
    MessagePage,
    TicketPage,
    TicketView,
    TimelinePage,
)
from crm_api.send_command import no_such_ticket
from crm_api.sla_responses import SlaView
from crm_api.sla_words import choose_language
from service_kit.problems import ProblemError, documented_problems
from ticket_contracts.exchanges import follow_up_id
from ticket_contracts.vocabulary import Channel, Priority, Status

READ_PROBLEMS = documented_problems(400, 401, 403, 404, 422, 503)
WRITE_PROBLEMS = documented_problems(400, 401, 403, 404, 408, 409, 412, 413, 422, 503)

# Documents the scheme only; `authenticate` reads the header and answers with a problem document.
_BEARER = HTTPBearer(auto_error=False, description="An API key: `fb_…`")


def _not_stored(response: Response) -> None:
    """What people wrote stays out of every cache; and a cached ticket would hide the caller's own write."""
    response.headers["Cache-Control"] = "no-store"


of_every_route = [Depends(_BEARER), Depends(_not_stored), Depends(refuse_unknown_query)]

router = APIRouter(prefix="/v1", dependencies=of_every_route)

Label = Annotated[str, Query(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Limit = Annotated[int, Query(ge=1, le=200, description="rows of a page")]
Cursor = Annotated[str, Query(pattern="^([1-9][0-9]{0,8})?$", description="`next_cursor` of the page before")]
IdempotencyKey = Annotated[str, Header(max_length=200, description="empty: the command gets a random id")]
Reader = Annotated[Caller, Depends(require_reader)]
Writer = Annotated[Caller, Depends(require_writer)]


def parts_of(request: Request) -> Parts:
    """Return what wiring put together for this app."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]


@router.get("/tickets", responses=READ_PROBLEMS, tags=["tickets"])
async def get_tickets(
    _: Reader,
    parts: PartsOf,
    status: Annotated[list[Status], Query()] = [],  # noqa: B006 - FastAPI copies defaults
    priority: Annotated[list[Priority], Query()] = [],  # noqa: B006
    channel: Annotated[list[Channel], Query()] = [],  # noqa: B006
    team: Label | None = None,
    assignee: Label | None = None,
    contact_id: UUID | None = None,
    tag: Label | None = None,
    status_name: Annotated[Label | None, Query(description="the organisation's own name of the status")] = None,
    spam: Annotated[bool, Query(description="true lists spam, and nothing else; false leaves it out")] = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> TicketPage:
    """List tickets, the newest first. Repeat `status`, `priority` and `channel` to ask for several."""
    wanted = TicketFilter(
        tuple(status), tuple(priority), tuple(channel), team, assignee, contact_id, tag, status_name, spam
    )
    async with parts.engine.connect() as connection:
        return await list_tickets(connection, wanted, int(cursor) if cursor else None, limit)


@router.post(
    "/tickets",
    status_code=201,
    responses={
        **WRITE_PROBLEMS,
        200: {"model": CommandView, "description": "This key has opened the ticket before, over 7 days ago"},
        202: {"model": CommandView, "description": "Not decided yet; ask at `url`"},
    },
    tags=["tickets"],
)
async def post_ticket(
    body: NewTicket, caller: Writer, parts: PartsOf, response: Response, idempotency_key: IdempotencyKey = ""
) -> CommandView:
    """Open a ticket. `Location` names it; the same Idempotency-Key never opens a second one."""
    view = await open_ticket(parts.desk, body, caller, idempotency_key)
    _say_where(response, view, ticket_url(view.ticket_id))
    if view.outcome == "no-op":
        response.status_code = 200
    return view


@router.get("/tickets/{ticket_id}", responses=READ_PROBLEMS, tags=["tickets"])
async def get_ticket(ticket_id: UUID, _: Reader, parts: PartsOf, response: Response) -> TicketView:
    """Read one ticket; its ETag is its version, to be sent back as If-Match."""
    async with parts.engine.connect() as connection:
        ticket = await existing_ticket(connection, ticket_id)
    response.headers["ETag"] = f'"{ticket.version}"'
    return ticket


@router.get("/tickets/{ticket_id}/timeline", responses=READ_PROBLEMS, tags=["tickets"])
async def get_timeline(
    ticket_id: UUID, _: Reader, parts: PartsOf, cursor: Cursor = "", limit: Limit = 100
) -> TimelinePage:
    """Read everything that happened to a ticket, in order."""
    async with parts.engine.connect() as connection:
        await existing_ticket(connection, ticket_id)
        return await read_timeline(connection, ticket_id, int(cursor or 0), limit)


@router.get("/tickets/{ticket_id}/messages", responses=READ_PROBLEMS, tags=["tickets"])
async def get_messages(
    ticket_id: UUID, _: Reader, parts: PartsOf, cursor: Cursor = "", limit: Limit = 100
) -> MessagePage:
    """Read the conversation, the oldest entry first."""
    async with parts.engine.connect() as connection:
        await existing_ticket(connection, ticket_id)
        return await read_messages(connection, ticket_id, int(cursor or 0), limit)


@router.get("/tickets/{ticket_id}/links", responses=READ_PROBLEMS, tags=["tickets"])
async def get_links(ticket_id: UUID, _: Reader, parts: PartsOf) -> LinkList:
    """Read what other tickets are to this one: links, merges, splits, follow-ups."""
    async with parts.engine.connect() as connection:
        await existing_ticket(connection, ticket_id)
        return await read_links(connection, ticket_id)


@router.get("/tickets/{ticket_id}/sla", responses=READ_PROBLEMS, tags=["tickets"])
async def get_sla(
    ticket_id: UUID,
    _: Reader,
    parts: PartsOf,
    response: Response,
    accept_language: Annotated[str, Header(max_length=200)] = "en",
) -> SlaView:
    """Explain every clock by the events behind it, who held the ticket how long, and why other clocks are missing."""
    language = choose_language(accept_language)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    async with parts.engine.connect() as connection:
        ticket = await existing_ticket(connection, ticket_id)
        return await explain_sla(connection, parts.calendars, ticket_id, ticket.version, language)


@router.post(
    "/tickets/{ticket_id}/commands",
    responses={**WRITE_PROBLEMS, 202: {"model": CommandView, "description": "Not decided yet; ask at `url`"}},
    tags=["commands"],
)
async def post_command(
    ticket_id: UUID,
    body: CommandRequest,
    caller: Writer,
    parts: PartsOf,
    response: Response,
    if_match: Annotated[str, Header(pattern=r'^("[1-9][0-9]{0,8}"|\*)$', description='the ETag: `"7"`')] = "*",
    idempotency_key: IdempotencyKey = "",
) -> CommandView:
    """Ask something of a ticket and read the outcome; afterwards every read shows it.

    `Location` of a `follow-up` names the ticket that it opened.
    """
    expected = None if if_match == "*" else int(if_match.strip('"'))
    view = await parts.desk.send(ticket_id, body, caller, idempotency_key, expected)
    _say_where(response, view, ticket_url(follow_up_id(ticket_id)) if isinstance(body, FollowUp) else "")
    return view


def ticket_url(ticket_id: UUID) -> str:
    """Return where a ticket stands."""
    return f"/v1/tickets/{ticket_id}"


def _say_where(response: Response, view: CommandView, location: str = "") -> None:
    """202 with the outcome's URL while there is none; else the version, and where what was made stands."""
    if view.outcome == "pending":
        response.status_code, location = 202, view.url
    if location:
        response.headers["Location"] = location
    if view.version is not None:
        response.headers["ETag"] = f'"{view.version}"'


@router.get("/commands/{command_id}", responses=READ_PROBLEMS, tags=["commands"])
async def get_command(command_id: UUID, _: Reader, parts: PartsOf) -> DecidedCommand:
    """Read what became of a command; 404 while it is not decided, and after 7 days."""
    async with parts.engine.connect() as connection:
        outcomes = await read_outcomes(connection, [str(command_id)])
    if not outcomes:
        raise ProblemError(
            404,
            "No outcome is known",
            "The command is not decided yet, was never taken, or was decided over 7 days ago.",
            type="/problems/no-such-command",
        )
    known = {name: getattr(outcomes[0], name) for name in DecidedCommand.model_fields}
    return DecidedCommand(**known)


async def existing_ticket(connection: AsyncConnection, ticket_id: UUID) -> TicketView:
    """Return the ticket or raise the 404."""
    ticket = await read_ticket(connection, ticket_id)
    if ticket is None:
        raise no_such_ticket(ticket_id)
    return ticket
