"""Look whether the other ticket that a request names can take part, before the first of the two is changed."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.command_request import CommandRequest
from crm_api.exchange_requests import LinkTickets, Merge
from service_kit.problems import FieldProblem, ProblemError
from ticket_contracts.exchanges import MOST_RELATED
from ticket_store.tables.tickets import TICKETS


async def need_other(connection: AsyncConnection, ticket_id: UUID, request: CommandRequest) -> None:
    """:raises ProblemError: the other ticket does not exist 422, or has no room for another link 409.

    The engine has the last word: a link that finds no room after all is taken back, and the timeline says why.
    """
    field = "target_id" if isinstance(request, Merge) else "other_id"
    other: UUID | None = getattr(request, field, None)
    if other is None:
        return
    links = func.coalesce(TICKETS.c.state["links"], func.jsonb_build_array())
    has_it: ColumnElement[bool] = literal(False)
    if isinstance(request, LinkTickets):
        has_it = links.contains([[str(ticket_id), request.kind.reverse]])
    counted = select(func.jsonb_array_length(links), has_it).where(TICKETS.c.ticket_id == other)
    found = (await connection.execute(counted)).one_or_none()
    if found is None:
        problem = FieldProblem(field=f"body.{field}", message="there is no ticket of this id", fix="send a ticket's id")
        raise ProblemError(422, "The request is not valid", type="/problems/invalid-request", errors=[problem])
    if isinstance(request, LinkTickets) and found[0] >= MOST_RELATED and not found[1]:
        detail = f"other_id: that ticket has {MOST_RELATED} links already; remove some of it first"
        raise ProblemError(409, "The ticket does not allow this", detail, type="/problems/command-rejected")
