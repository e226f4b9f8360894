"""Open a ticket on behalf of an agent, and wait for what becomes of it."""

from uuid import UUID

from crm_api.authenticate import Caller
from crm_api.await_outcomes import Outcome, read_outcomes
from crm_api.check_holder import check_documents
from crm_api.find_contact import find_contact
from crm_api.opening_requests import NewTicket
from crm_api.requests import CommandEnvelope
from crm_api.responses import CommandView
from crm_api.send_command import WAIT_SECONDS, CommandDesk, too_large, view_outcome
from ticket_contracts.openings import OpenTicket, asked_fingerprint, opened_ticket_id
from ticket_contracts.topics import MAX_EVENT_BYTES
from ticket_store.documents import Agent, Brand, Team

MOST_OPENING_BYTES = MAX_EVENT_BYTES - 40 * 1024
"""The fact that follows says subject, tags and actor more than once: 4 KiB, 20 KiB and 3 KiB at most, in any script."""


async def open_ticket(desk: CommandDesk, request: NewTicket, caller: Caller, idempotency_key: str) -> CommandView:
    """Return the outcome, or `pending` when none is known in time. The same key always opens the same ticket.

    :raises ProblemError: refused 409, too large 413, unknown names or a key used otherwise 422, Kafka away 503.
    """
    command_id = desk.command_id(caller, idempotency_key)
    envelope = desk.envelope(opened_ticket_id(command_id), caller, None)
    found = await _look_first(desk, request, envelope, command_id)
    if isinstance(found, OpenTicket):
        size = len(found.encode())
        if size > MOST_OPENING_BYTES:
            raise too_large(size, MOST_OPENING_BYTES)
        await desk.publish(command_id, found)
        known = await desk.waiters.wait_for(str(command_id), WAIT_SECONDS)
    else:
        known = found
    fingerprint = asked_fingerprint(envelope.ticket_id, envelope.actor, request.digest())
    return view_outcome(command_id, envelope.ticket_id, fingerprint, known)


async def _look_first(
    desk: CommandDesk, request: NewTicket, envelope: CommandEnvelope, command_id: UUID
) -> OpenTicket | Outcome:
    """Return what became of the command when it was decided before: what is known of contact and configuration by now
    does not matter then. Else return the command."""
    async with desk.engine.connect() as connection:
        outcomes = await read_outcomes(connection, [str(command_id)])
        if outcomes:
            return outcomes[0]
        contact_id, contact = await find_contact(connection, request.brand, request.contact, command_id)
        named = {
            "brand": (Brand.kind, request.brand),
            "team": (Team.kind, request.team),
            "assignee": (Agent.kind, request.assignee),
        }
        await check_documents(connection, named)
    return request.command(envelope, command_id, contact_id, contact)
