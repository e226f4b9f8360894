"""The HTTP surface of roll-outs: ask for a re-evaluation over a stated set, and see how far roll-outs are."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from crm_api.authenticate import Caller, require_administrator
from crm_api.configuration_views import RollOutList, RollOutView
from crm_api.edit_configuration import name_of
from crm_api.routes import READ_PROBLEMS, WRITE_PROBLEMS, Limit, PartsOf, Reader, of_every_route
from service_kit.problems import ProblemError
from ticket_store.roll_outs import (
    Connection,
    RollOut,
    TicketScope,
    read_roll_out,
    read_roll_outs,
    request_reevaluation,
)

router = APIRouter(prefix="/v1", dependencies=of_every_route, tags=["roll-outs"])

Administrator = Annotated[Caller, Depends(require_administrator)]


@router.post("/reevaluations", status_code=202, responses=WRITE_PROBLEMS)
async def post_reevaluation(
    body: TicketScope, caller: Administrator, parts: PartsOf, response: Response
) -> RollOutView:
    """Match the open tickets of a set with the policies of today; each ticket's timeline names the id (rule 32)."""
    async with parts.configuration.acquire() as connection:
        rollout_id = await request_reevaluation(connection, body, name_of(caller))
        requested = await _existing(connection, rollout_id)
    response.headers["Location"] = roll_out_url(rollout_id)
    return _view(requested)


@router.get("/roll-outs", responses=READ_PROBLEMS)
async def get_roll_outs(_: Reader, parts: PartsOf, limit: Limit = 50) -> RollOutList:
    """List the newest roll-outs, those of changed calendars too."""
    async with parts.configuration.acquire() as connection:
        return RollOutList(items=[_view(each) for each in await read_roll_outs(connection, limit)])


@router.get("/roll-outs/{rollout_id}", responses=READ_PROBLEMS)
async def get_roll_out(rollout_id: UUID, _: Reader, parts: PartsOf) -> RollOutView:
    """See how far one is."""
    async with parts.configuration.acquire() as connection:
        return _view(await _existing(connection, rollout_id))


def roll_out_url(rollout_id: UUID) -> str:
    """Return where the progress stands."""
    return f"/v1/roll-outs/{rollout_id}"


async def _existing(connection: Connection, rollout_id: UUID) -> RollOut:
    found = await read_roll_out(connection, rollout_id)
    if found is None:
        detail = f"There is no roll-out {rollout_id}."
        raise ProblemError(404, "No such roll-out", detail, type="/problems/no-such-roll-out")
    return found


def _view(roll_out: RollOut) -> RollOutView:
    return RollOutView(
        id=roll_out.rollout_id,
        kind=roll_out.kind,
        head=roll_out.head,
        scope=roll_out.scope.model_dump(mode="json", exclude_defaults=True),
        tickets_told=roll_out.counted,
        requested_by=roll_out.requested_by,
        requested_at=roll_out.requested_at,
        done_at=roll_out.done_at,
        url=roll_out_url(roll_out.rollout_id),
    )
