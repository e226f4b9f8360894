"""What became of answers on their way to the customer, as the channel told it."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from crm_api.responses import DeliveryView
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.vocabulary import ActorKind, DeliveryState
from ticket_store.tables.delivery_receipts import FIND_DELIVERIES, provider_hash

Deliveries = Mapping[str, DeliveryView]
"""What became of messages of ours, by the channel's id."""

_FIND = text(FIND_DELIVERIES)


async def read_deliveries(connection: AsyncConnection, ticket_id: UUID, entries: Iterable[MessageEntry]) -> Deliveries:
    """Return what was told of the answers among the entries; without an answer that has an id nothing is asked."""
    ids = {provider_hash(entry.provider_id): entry.provider_id for entry in entries if _is_sent(entry)}
    if not ids:
        return {}
    rows = await connection.execute(_FIND, {"ticket_id": ticket_id, "provider_hashes": list(ids)})
    found: dict[str, list[RowMapping]] = {}
    for row in rows.mappings():
        found.setdefault(ids[row["provider_hash"]], []).append(row)
    # Two accounts of a brand that count alike: which of them sent the answer is not known, so nothing is claimed.
    return {provider_id: _view(rows[0]) for provider_id, rows in found.items() if len(rows) == 1}


def view_delivery(entry: MessageEntry, deliveries: Deliveries) -> DeliveryView | None:
    """Return what became of an answer, or what a message of the kind `status` tells itself."""
    if _is_sent(entry):
        return deliveries.get(entry.provider_id)
    told = entry.delivery
    if told is None:
        return None
    times = {f"{state}_at": entry.at if state is told.state else None for state in DeliveryState}
    return DeliveryView(state=told.state, reason=told.reason, **times)


def _is_sent(entry: MessageEntry) -> bool:
    return entry.author.kind is not ActorKind.CUSTOMER and entry.provider_id != ""


def _view(row: RowMapping) -> DeliveryView:
    """A message that arrived or was read has not failed, whatever was told of a try before."""
    state = DeliveryState.FAILED
    if row["delivered_at"] is not None:
        state = DeliveryState.DELIVERED
    if row["read_at"] is not None:
        state = DeliveryState.READ
    times = {f"{each}_at": row[f"{each}_at"] for each in DeliveryState}
    return DeliveryView(state=state, reason=row["reason"], **times)
