"""How much a ticket may carry along: its summary stands in every one of its facts."""

from sla_engine.domain.request import Rejected
from ticket_contracts.tickets import TicketSummary

MOST_SUMMARY_BYTES = 32 * 1024
"""A message takes up to 192 KiB of an event's 256; what tags, fields and watchers took beyond the rest would make dead
letters of all that the customer still writes."""


def refusal_of_growth(field: str, before: TicketSummary, after: TicketSummary) -> Rejected | None:
    """Refuse what makes a summary too large, by the `field` that the caller sent; a smaller one is always allowed."""
    if after is before:
        return None
    size = _size(after)
    if size <= MOST_SUMMARY_BYTES or size <= _size(before):
        return None
    told = f"tags, fields and watchers of the ticket would make {size} bytes of each of its facts"
    return Rejected("rejected", f"{field}: {told}, at most {MOST_SUMMARY_BYTES} fit; remove some first")


def _size(summary: TicketSummary) -> int:
    return len(summary.model_dump_json(exclude_none=True).encode())
