"""Send one command to the engine and wait for what becomes of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm_api.action_requests import ChangeWatchers
from crm_api.authenticate import Caller
from crm_api.await_outcomes import Outcome, OutcomeWaiters, read_outcomes
from crm_api.check_holder import check_holder
from crm_api.command_request import CommandRequest
from crm_api.exchange_requests import FollowUp
from crm_api.other_ticket import need_other
from crm_api.requests import Assign, CommandEnvelope
from crm_api.responses import CommandView
from service_kit.problems import FieldProblem, ProblemError
from service_kit.tracing import current_trace
from ticket_contracts.commands import Command
from ticket_contracts.envelope import Event
from ticket_contracts.exchanges import asked_command_id, follow_up_id
from ticket_contracts.openings import OpenTicket
from ticket_contracts.topics import COMMANDS, MAX_EVENT_BYTES
from ticket_store.tables.tickets import TICKETS
from ticket_stream.edge_publisher import EdgePublisher, EventTooLarge, KafkaAway

SOURCE = "/firebreak/crm-api"

WAIT_SECONDS = 5.0
"""How long a caller is kept waiting before it gets 202 and the URL of the outcome."""

PATIENCE = timedelta(seconds=30)
"""After this the engine no longer applies the command, so a caller that gave up is not surprised much later."""

_KEYS = uuid5(NAMESPACE_URL, "firebreak:idempotency-key")


@dataclass(frozen=True, slots=True)
class CommandDesk:
    """What sending needs. `now` gives aware times, `new_id` ids for callers that send no key."""

    engine: AsyncEngine
    publisher: EdgePublisher
    waiters: OutcomeWaiters
    now: Callable[[], datetime]
    new_id: Callable[[], UUID]

    async def send(
        self,
        ticket_id: UUID,
        request: CommandRequest,
        caller: Caller,
        idempotency_key: str,
        expected_version: int | None,
    ) -> CommandView:
        """Return the outcome, or `pending` when none is known in time.

        :raises ProblemError: unknown ticket 404, refused 409, changed meanwhile 412, key reused 422, Kafka away 503.
        """
        command_id = self.command_id(caller, idempotency_key)
        command = request.command(self.envelope(ticket_id, caller, expected_version))
        until = asyncio.get_running_loop().time() + WAIT_SECONDS
        known = await self._look_first(ticket_id, str(command_id), request)
        if known is None:
            await self.publish(command_id, command)
            known = await self.waiters.wait_for(str(command_id), WAIT_SECONDS)
        if isinstance(request, FollowUp) and known is not None and known.outcome == "applied":
            await self._wait_for_follow_up(ticket_id, command_id, until)
        return view_outcome(command_id, ticket_id, command.fingerprint(), known)

    def command_id(self, caller: Caller, idempotency_key: str) -> UUID:
        """Return the id that this caller's key always stands for; a new one without a key."""
        return uuid5(_KEYS, f"{caller.key_id}:{idempotency_key}") if idempotency_key else self.new_id()

    def envelope(self, ticket_id: UUID, caller: Caller, expected_version: int | None) -> CommandEnvelope:
        """Return what the API adds to every command."""
        return CommandEnvelope(
            ticket_id=ticket_id,
            actor=caller.actor,
            not_after=self.now() + PATIENCE,
            expected_version=expected_version,
        )

    async def _wait_for_follow_up(self, ticket_id: UUID, command_id: UUID, until: float) -> None:
        """Let the follow-up open, which the closed ticket has asked: so that the caller can read it, too."""
        asked = asked_command_id(follow_up_id(ticket_id), str(command_id), OpenTicket.event_type)
        await self.waiters.wait_for(str(asked), until - asyncio.get_running_loop().time())

    async def _look_first(self, ticket_id: UUID, command_id: str, request: CommandRequest) -> Outcome | None:
        async with self.engine.connect() as connection:
            outcomes = await read_outcomes(connection, [command_id])
            team = await connection.scalar(select(TICKETS.c.team).where(TICKETS.c.ticket_id == ticket_id))
            if team is None:
                raise no_such_ticket(ticket_id)
            if outcomes:  # decided before: what the configuration says by now does not matter
                return outcomes[0]
            await need_other(connection, ticket_id, request)
            if isinstance(request, Assign | ChangeWatchers | FollowUp):
                await check_holder(connection, request, team)
        return None

    async def publish(self, command_id: UUID, command: Command) -> None:
        """Give the command to the engine.

        :raises ProblemError: larger than an event 413, Kafka away 503.
        """
        trace = current_trace()
        event = Event(
            id=str(command_id),
            source=SOURCE,
            type=command.event_type,
            time=self.now(),
            data=command.encode(),
            subject=str(command.ticket_id),
            partitionkey=str(command.ticket_id),
            traceparent=trace.traceparent if trace else None,
            correlationid=str(command_id),
        )
        try:
            await self.publisher.publish(COMMANDS, str(command.ticket_id), event)
        except EventTooLarge as error:
            raise too_large(len(event.data), MAX_EVENT_BYTES) from error
        except KafkaAway as error:
            raise ProblemError(
                503,
                "The command may not have been taken",
                f"Kafka does not answer. Look at {command_url(command_id)}, or repeat with the same Idempotency-Key.",
                type="/problems/outcome-unknown",
                headers={"Retry-After": "5", "Location": command_url(command_id)},
            ) from error


def command_url(command_id: UUID) -> str:
    """Return where the outcome will stand."""
    return f"/v1/commands/{command_id}"


def too_large(size: int, most: int) -> ProblemError:
    """Return the 413 of a command that would not fit into an event."""
    detail = f"The command would have {size} bytes, at most {most} fit: shorten text and fields."
    return ProblemError(413, "The command is too large", detail, type="/problems/too-large")


def no_such_ticket(ticket_id: UUID) -> ProblemError:
    """Return the 404 of a ticket."""
    return ProblemError(404, "No such ticket", f"There is no ticket {ticket_id}.", type="/problems/no-such-ticket")


_REFUSALS = {
    "rejected": (409, "The ticket does not allow this", "/problems/command-rejected"),
    "conflict": (412, "The ticket has changed", "/problems/version-conflict"),
    "expired": (409, "The command came too late", "/problems/command-expired"),
    "failed": (422, "The command cannot be processed", "/problems/command-failed"),
}


def view_outcome(command_id: UUID, ticket_id: UUID, fingerprint: bytes, outcome: Outcome | None) -> CommandView:
    """Turn an outcome into the answer, or raise the problem it stands for; the fingerprint is that of the command."""
    if outcome is None:
        return CommandView(
            command_id=command_id,
            ticket_id=ticket_id,
            outcome="pending",
            reason="",
            version=None,
            url=command_url(command_id),
        )
    if outcome.content_hash != fingerprint:
        raise ProblemError(
            422,
            "The Idempotency-Key was used for another command",
            type="/problems/idempotency-key-reused",
            errors=[
                FieldProblem(
                    field="header.idempotency-key",
                    message="this key already stands for a command with another body, ticket or If-Match",
                    fix="send a new key for a new command",
                )
            ],
        )
    if outcome.outcome in _REFUSALS:
        status, title, kind = _REFUSALS[outcome.outcome]
        headers = {"ETag": f'"{outcome.version}"'} if outcome.version else {}
        raise ProblemError(status, title, outcome.reason or None, type=kind, headers=headers)
    return CommandView(
        command_id=command_id,
        ticket_id=outcome.ticket_id,
        outcome=outcome.outcome,
        reason=outcome.reason,
        version=outcome.version,
        url=command_url(command_id),
    )
