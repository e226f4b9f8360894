"""Read what other tickets are to one: links, merges, splits and follow-ups, each with its present state."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.responses import LinkedTicket, LinkList, Relation
from ticket_contracts.exchanges import MessagesMoved
from ticket_contracts.vocabulary import LinkKind
from ticket_store.tables.ticket_events import TICKET_EVENTS
from ticket_store.tables.tickets import TICKETS

Found = dict[UUID, list[Relation]]

_SHOWN = ("number", "brand", "subject", "status", "priority", "team", "assignee", "opened_at", "updated_at")


async def read_links(connection: AsyncConnection, ticket_id: UUID) -> LinkList:
    """Return every ticket that this one knows of, the oldest first; a ticket may stand here in several relations."""
    state = await connection.scalar(select(TICKETS.c.state).where(TICKETS.c.ticket_id == ticket_id))
    if state is None:
        return LinkList(items=[])
    found = relations_of(state)
    for other_id, relation in await _splits(connection, ticket_id, list(found)):
        said = found.setdefault(other_id, [])
        if Relation.RELATED in said:  # a split links both as related: the finer word stands for it
            said.remove(Relation.RELATED)
        said.append(relation)
    columns = [TICKETS.c[name] for name in _SHOWN]
    rows = await connection.execute(
        select(TICKETS.c.ticket_id, *columns).where(TICKETS.c.ticket_id.in_(found)).order_by(TICKETS.c.number)
    )
    items = [
        LinkedTicket(other_id=row.ticket_id, relation=relation, **{name: getattr(row, name) for name in _SHOWN})
        for row in rows
        for relation in found[row.ticket_id]
    ]
    return LinkList(items=items)


def relations_of(state: dict[str, Any]) -> Found:
    """Return what a ticket's state says of others. Its named tuples stand as arrays, the other ticket's id first."""
    found: Found = {}
    for other_id, kind, *_ in state.get("links") or ():
        found.setdefault(UUID(other_id), []).append(Relation(LinkKind(kind)))
    for source_id, _ in state.get("absorbed") or ():
        found.setdefault(UUID(source_id), []).append(Relation.MERGED_FROM)
    merged = state["summary"].get("merged_into")
    for other_id, relation in (
        (merged, Relation.MERGED_INTO),
        (merged is None and state.get("successor_id"), Relation.FOLLOWED_BY),
        (state.get("previous_ticket_id"), Relation.FOLLOWS),
    ):
        if other_id:
            found.setdefault(UUID(other_id), []).append(relation)
    return found


async def _splits(connection: AsyncConnection, ticket_id: UUID, others: list[UUID]) -> list[tuple[UUID, Relation]]:
    """Return which tickets came out of this one, or this one out of them: messages have moved between the two."""
    moved = func.jsonb_extract_path_text(TICKET_EVENTS.c.data, "other_id")
    rows = await connection.execute(
        select(TICKET_EVENTS.c.ticket_id, moved.label("other_id"))
        .where(TICKET_EVENTS.c.ticket_id.in_([ticket_id, *others]), TICKET_EVENTS.c.type == MessagesMoved.event_type)
        .distinct()
    )
    found: list[tuple[UUID, Relation]] = []
    for source_id, other_id in rows:
        if source_id == ticket_id:
            found.append((UUID(other_id), Relation.SPLIT_INTO))
        elif UUID(other_id) == ticket_id:
            found.append((source_id, Relation.SPLIT_FROM))
    return found
