"""Whom a new ticket is about. Contacts are the router's: they are looked up here, and never written."""

from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.opening_requests import Whom
from service_kit.problems import FieldProblem, ProblemError
from ticket_contracts.messages import Party
from ticket_contracts.vocabulary import IdentityKind
from ticket_store.tables.contacts import CONTACT_IDENTITIES as IDENTITIES
from ticket_store.tables.contacts import CONTACTS


async def find_contact(connection: AsyncConnection, brand: str, whom: Whom, command_id: UUID) -> tuple[UUID, Party]:
    """Return the contact and how it is known.

    Who is named by an address that no message came from yet is nobody's contact: the ticket holds the address and an
    id of its own, which follows from the command.

    :raises ProblemError: 422, there is no contact of this id.
    """
    if whom.identity is None:
        assert whom.contact_id is not None  # a Whom has one or the other
        return whom.contact_id, await _known(connection, brand, whom.contact_id)
    kind, value = whom.identity
    found = await connection.scalar(
        select(IDENTITIES.c.contact_id).where(
            IDENTITIES.c.brand == brand, IDENTITIES.c.kind == str(kind), IDENTITIES.c.value == value
        )
    )
    return found or uuid5(command_id, "contact"), Party(kind=kind, value=value, name=whom.name or "")


async def _known(connection: AsyncConnection, brand: str, contact_id: UUID) -> Party:
    rows = await connection.execute(
        select(IDENTITIES.c.kind, IDENTITIES.c.value, CONTACTS.c.name, CONTACTS.c.brand)
        .join(CONTACTS, CONTACTS.c.contact_id == IDENTITIES.c.contact_id)
        .where(CONTACTS.c.contact_id == contact_id)
        .order_by(IDENTITIES.c.kind, IDENTITIES.c.value)
        .limit(1)
    )
    row = rows.one_or_none()
    if row is None or row.brand != brand:
        problem = FieldProblem(
            field="body.contact.contact_id",
            message="there is no contact of this id in the brand",
            fix="send the contact_id of a ticket of this brand, or an e-mail address or telephone number",
        )
        raise ProblemError(422, "The request is not valid", type="/problems/invalid-request", errors=[problem])
    return Party(kind=IdentityKind(row.kind), value=row.value, name=row.name[:200])
