"""Read one ticket, its timeline and its conversation."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.list_tickets import tickets_with_contact, view_ticket
from crm_api.responses import MessagePage, MessageView, TicketView, TimelineEntry, TimelinePage
from ticket_contracts.tickets import MessageEntry
from ticket_store.tables.messages import MESSAGES
from ticket_store.tables.ticket_events import TICKET_EVENTS
from ticket_store.tables.tickets import TICKETS


async def read_ticket(connection: AsyncConnection, ticket_id: UUID) -> TicketView | None:
    """Return the ticket, or None when there is none of this id."""
    row = (await connection.execute(tickets_with_contact().where(TICKETS.c.ticket_id == ticket_id))).one_or_none()
    return view_ticket(row) if row else None


async def read_timeline(connection: AsyncConnection, ticket_id: UUID, after: int, limit: int) -> TimelinePage:
    """Return the facts with a version above `after`."""
    columns = [TICKET_EVENTS.c[name] for name in TimelineEntry.model_fields if name != "actor"]
    query = (
        select(*columns)
        .where(TICKET_EVENTS.c.ticket_id == ticket_id, TICKET_EVENTS.c.version > after)
        .order_by(TICKET_EVENTS.c.version)
        .limit(limit + 1)
    )
    rows = (await connection.execute(query)).mappings().all()
    items = [TimelineEntry(**row, actor=row["data"]["actor"]) for row in rows[:limit]]
    return TimelinePage(items=items, next_cursor=str(items[-1].version) if len(rows) > limit else None)


async def read_messages(connection: AsyncConnection, ticket_id: UUID, after: int, limit: int) -> MessagePage:
    """Return the entries of the conversation whose fact has a version above `after`."""
    query = (
        select(MESSAGES.c.version, MESSAGES.c.text, MESSAGES.c.entry)
        .where(MESSAGES.c.ticket_id == ticket_id, MESSAGES.c.version > after)
        .order_by(MESSAGES.c.version)
        .limit(limit + 1)
    )
    rows = (await connection.execute(query)).all()
    items = [_view_message(row.version, {**row.entry, "text": row.text}) for row in rows[:limit]]
    return MessagePage(items=items, next_cursor=str(items[-1].version) if len(rows) > limit else None)


def _view_message(version: int, stored: dict[str, Any]) -> MessageView:
    entry = MessageEntry.model_validate(stored)
    shown = {name: getattr(entry, name) for name in MessageView.model_fields if name != "version"}
    shown["attachments"], shown["reading_problems"] = list(entry.attachments), list(entry.reading_problems)
    return MessageView(version=version, **shown)
