"""Refuse a team or an agent that does not exist: a ticket of a mistyped team would stand in nobody's queue."""

from collections.abc import Mapping

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.action_requests import ChangeWatchers
from crm_api.exchange_requests import FollowUp
from crm_api.requests import Assign
from service_kit.problems import FieldProblem, ProblemError
from ticket_store.documents import Agent, Team
from ticket_store.tables.configuration_documents import CONFIGURATION_DOCUMENTS as DOCUMENTS


async def check_holder(connection: AsyncConnection, request: Assign | ChangeWatchers | FollowUp, team: str) -> None:
    """:raises ProblemError: 422 that names the field; an archived team or agent does not exist any more.

    :param team: has the ticket now, and so its follow-up if no other is named.
    """
    asked: dict[str, tuple[str, str | None]]
    if isinstance(request, Assign):
        asked = {"team": (Team.kind, request.team), "assignee": (Agent.kind, request.assignee)}
    elif isinstance(request, FollowUp):
        asked = {"team": (Team.kind, request.team or team), "assignee": (Agent.kind, request.assignee)}
    else:
        asked = {f"add.{place}": (Agent.kind, name) for place, name in enumerate(request.add)}
    await check_documents(connection, asked)


async def check_documents(connection: AsyncConnection, asked: Mapping[str, tuple[str, str | None]]) -> None:
    """Refuse fields that name, by (kind, name), what the configuration does not have; a name of None names nothing.

    :raises ProblemError: 422.
    """
    wanted = {field: document for field, document in asked.items() if document[1] is not None}
    if not wanted:
        return
    latest = (
        select(DOCUMENTS.c.kind, DOCUMENTS.c.name, DOCUMENTS.c.archived)
        .where(tuple_(DOCUMENTS.c.kind, DOCUMENTS.c.name).in_(list(wanted.values())))
        .ext(distinct_on(DOCUMENTS.c.kind, DOCUMENTS.c.name))
        .order_by(DOCUMENTS.c.kind, DOCUMENTS.c.name, DOCUMENTS.c.version.desc())
    )
    present = {(row.kind, row.name) for row in await connection.execute(latest) if not row.archived}
    unknown = [
        FieldProblem(
            field=f"body.{field}",
            message=f"there is no {kind} of this name",
            fix=f"send the name of a {kind} of the configuration in force",
        )
        for field, (kind, name) in wanted.items()
        if (kind, name) not in present
    ]
    if unknown:
        raise ProblemError(422, "The request is not valid", type="/problems/invalid-request", errors=unknown)
