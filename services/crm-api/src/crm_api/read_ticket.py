"""Read one ticket, its timeline and its conversation."""

from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.delivery_states import Deliveries, read_deliveries, view_delivery
from crm_api.file_states import Verdicts, are_awaited, show_newest_files, verdicts_of, view_attachment
from crm_api.list_tickets import tickets_with_contact, view_ticket
from crm_api.page import bytes_of, read_page
from crm_api.read_links import relations_of
from crm_api.responses import MessagePage, MessageView, Relation, TicketView, TimelineEntry, TimelinePage
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.vocabulary import FileState, MessageKind
from ticket_store.tables.messages import MESSAGES
from ticket_store.tables.ticket_events import TICKET_EVENTS
from ticket_store.tables.tickets import TICKETS

_FACT_COLUMNS = tuple(name for name in TimelineEntry.model_fields if name != "actor")


async def read_ticket(connection: AsyncConnection, ticket_id: UUID) -> TicketView | None:
    """Return the ticket, or None when there is none of this id."""
    row = (await connection.execute(tickets_with_contact().where(TICKETS.c.ticket_id == ticket_id))).one_or_none()
    return view_ticket(row) if row else None


async def read_timeline(connection: AsyncConnection, ticket_id: UUID, after: int, limit: int) -> TimelinePage:
    """Return the facts with a version above `after`."""
    query = (
        select(*(TICKET_EVENTS.c[name] for name in _FACT_COLUMNS), bytes_of(TICKET_EVENTS.c.data))
        .where(TICKET_EVENTS.c.ticket_id == ticket_id, TICKET_EVENTS.c.version > after)
        .order_by(TICKET_EVENTS.c.version)
    )
    rows, more = await read_page(connection, query, limit)
    items = [_view_fact(row) for row in rows]
    return TimelinePage(items=items, next_cursor=str(items[-1].version) if more else None)


# Links that people make, of a problem to thousands of incidents: no message has come from there.
_NOT_MOVED = frozenset({Relation.DUPLICATE_OF, Relation.DUPLICATED_BY, Relation.PROBLEM, Relation.INCIDENT})


async def read_messages(connection: AsyncConnection, ticket_id: UUID, after: int, limit: int) -> MessagePage:
    """Return the entries of the conversation whose fact has a version above `after`."""
    columns = (MESSAGES.c.version, MESSAGES.c.text, MESSAGES.c.entry)
    query = (
        select(*columns, bytes_of(MESSAGES.c.text, MESSAGES.c.entry))
        .where(MESSAGES.c.ticket_id == ticket_id, MESSAGES.c.version > after)
        .order_by(MESSAGES.c.version)
    )
    rows, more = await read_page(connection, query, limit)
    entries = {row["version"]: MessageEntry.model_validate({**row["entry"], "text": row["text"]}) for row in rows}
    told = await _read_told(connection, ticket_id) if any(map(are_awaited, entries.values())) else []
    verdicts = verdicts_of(told)
    deliveries = await read_deliveries(connection, ticket_id, entries.values())
    items = [view_message(version, entry, verdicts, deliveries) for version, entry in entries.items()]
    if told:
        items = show_newest_files(items, told)
    return MessagePage(items=items, next_cursor=str(items[-1].version) if more else None)


def _view_fact(row: RowMapping) -> TimelineEntry:
    return TimelineEntry(**{name: row[name] for name in _FACT_COLUMNS}, actor=row["data"]["actor"])


async def _read_told(connection: AsyncConnection, ticket_id: UUID) -> list[MessageEntry]:
    """Return the entries that tell what became of files of this ticket's messages, in order.

    What is told of a message that was split off, or of one that came before a merge, stands in the other ticket.
    """
    state = await connection.scalar(select(TICKETS.c.state).where(TICKETS.c.ticket_id == ticket_id))
    related = relations_of(state) if state is not None else {}
    tickets = [ticket_id, *(other for other, said in related.items() if not _NOT_MOVED.issuperset(said))]
    query = (
        select(MESSAGES.c.entry)
        .where(MESSAGES.c.ticket_id.in_(tickets), MESSAGES.c.entry["kind"].astext == MessageKind.ATTACHMENT)
        .order_by(MESSAGES.c.at, MESSAGES.c.version)
    )
    return [MessageEntry.model_validate({**row.entry, "text": ""}) for row in await connection.execute(query)]


def view_message(version: int, entry: MessageEntry, verdicts: Verdicts, deliveries: Deliveries) -> MessageView:
    """Return an entry as a reader may see it; what is not given out is not referred to either."""
    shown = {name: getattr(entry, name) for name in MessageView.model_fields if name != "version"}
    shown["attachments"] = [view_attachment(each, verdicts) for each in entry.attachments]
    shown["delivery"] = view_delivery(entry, deliveries)
    for name in ("files", "reading_problems"):
        shown[name] = list(shown[name])
    if any(each.state is not FileState.STORED for each in shown["attachments"]):
        shown["raw"] = None  # the same files are in it
    return MessageView(version=version, **shown)
