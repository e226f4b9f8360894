"""List tickets by filters, the newest number first."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, false, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.responses import TicketLink, TicketPage, TicketView
from ticket_contracts.tickets import TicketSummary
from ticket_contracts.vocabulary import Channel, Priority, Status
from ticket_store.tables.contacts import CONTACTS
from ticket_store.tables.tickets import TICKETS

_OF_SUMMARY = tuple(
    name for name in TicketView.model_fields if name in TicketSummary.model_fields and name not in TICKETS.c
)
"""What no list sorts or joins by has no column of its own, and is read from the ticket's state."""


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Conditions that must all hold; None and empty mean any. Spam is a list of its own: either it or the others."""

    statuses: tuple[Status, ...] = ()
    priorities: tuple[Priority, ...] = ()
    channels: tuple[Channel, ...] = ()
    team: str | None = None
    assignee: str | None = None
    contact_id: UUID | None = None
    tag: str | None = None
    status_name: str | None = None
    spam: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions in SQL."""
        found: list[ColumnElement[bool]] = []
        for column, values in (
            (TICKETS.c.status, self.statuses),
            (TICKETS.c.priority, self.priorities),
            (TICKETS.c.channel, self.channels),
        ):
            if values:
                found.append(column.in_([str(value) for value in values]))
        for column, value in (
            (TICKETS.c.team, self.team),
            (TICKETS.c.assignee, self.assignee),
            (TICKETS.c.contact_id, self.contact_id),
        ):
            if value is not None:
                found.append(column == value)
        if self.tag is not None:
            found.append(TICKETS.c.tags.contains([self.tag]))
        if self.status_name is not None:
            found.append(TICKETS.c.state[("summary", "status_name")].as_string() == self.status_name)
        said = TICKETS.c.state[("summary", "spam")].as_boolean()
        found.append(func.coalesce(said, false()) == self.spam)
        return found


def tickets_with_contact() -> Select[Any]:
    """Return the query of the columns of `TicketView`."""
    columns = [TICKETS.c[name] for name in TicketView.model_fields if name in TICKETS.c]
    parts = [TICKETS.c.state[name].label(name) for name in ("summary", "links", "merging")]
    return select(*columns, *parts, CONTACTS.c.name.label("contact_name")).select_from(
        TICKETS.outerjoin(CONTACTS, CONTACTS.c.contact_id == TICKETS.c.contact_id)
    )


def view_ticket(row: Row[Any]) -> TicketView:
    """Turn a row of `tickets_with_contact` into the answer."""
    values = dict(row._mapping)
    summary = TicketSummary.model_validate(values.pop("summary"))
    values["contact_name"] = values["contact_name"] or summary.contact.name
    values |= {name: getattr(summary, name) for name in _OF_SUMMARY}
    merging, links = values.pop("merging"), values.pop("links")
    values["merging_into"] = merging[0] if merging else None  # named tuples stand as arrays
    values["links"] = [TicketLink(other_id=other_id, kind=kind) for other_id, kind, *_ in links or ()]
    values["watchers"] = list(summary.watchers)
    return TicketView(**values)


async def list_tickets(connection: AsyncConnection, wanted: TicketFilter, before: int | None, limit: int) -> TicketPage:
    """Return the page of tickets whose number is below `before`."""
    query = tickets_with_contact().where(*wanted.conditions()).order_by(TICKETS.c.number.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(TICKETS.c.number < before)
    rows = (await connection.execute(query)).all()
    items = [view_ticket(row) for row in rows[:limit]]
    return TicketPage(items=items, next_cursor=str(items[-1].number) if len(rows) > limit else None)
