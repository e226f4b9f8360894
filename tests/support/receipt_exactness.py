"""Is of every answer known what its receipts told, once, and nothing that none told?"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from tests.support.ledger import Ledger, SentReceipt
from tests.support.world import DeliveryRow, World
from ticket_contracts.tickets import MessageRevised
from ticket_contracts.vocabulary import DeliveryState, MessageKind
from ticket_store.tables.delivery_receipts import provider_hash

FURTHEST = (DeliveryState.READ, DeliveryState.DELIVERED, DeliveryState.FAILED)
"""What is shown of an answer is the first of these that was told (decision 49)."""


def find_receipt_flaws(ledger: Ledger, world: World) -> Iterator[str]:
    """Judge what is kept of each answer, what its ticket says of a failure, and what the API shows."""
    told: defaultdict[str, list[SentReceipt]] = defaultdict(list)
    for sent in ledger.receipts:
        told[sent.provider_id].append(sent)
    kept: defaultdict[bytes, list[DeliveryRow]] = defaultdict(list)
    for row in world.deliveries:
        kept[row.provider_hash].append(row)
    identities = Counter(row.provider_id for row in world.inbound)
    entries = _entries(world)
    for answer, receipts in told.items():
        yield from _row_flaws(answer, receipts, kept.pop(provider_hash(answer), []))
        yield from _count_flaws(f"{answer}: identities", identities[answer], receipts)
        yield from _entry_flaws(answer, receipts, entries.pop(answer, []))
    for rows in kept.values():
        yield f"receipts are kept of an answer of which none told: {rows}"
    for answer, places in entries.items():
        yield f"a receipt that nobody sent, of {answer!r}, stands in {places}"
    yield from _shown_flaws(ledger, world, told)


def _row_flaws(answer: str, receipts: Sequence[SentReceipt], rows: Sequence[DeliveryRow]) -> Iterator[str]:
    if len(rows) > 1:
        yield f"DUPLICATE: of {answer} receipts are kept in {len(rows)} rows"
    times = rows[0].times if rows else {}
    left = {state: at for state, at in times.items() if at is not None}
    for sent in receipts:
        found = left.pop(sent.state, None)
        if found is None and sent.acknowledged:
            yield f"LOSS: {answer} {sent.state}: acknowledged, and not kept"
        elif found not in (None, sent.at):
            yield f"{answer} {sent.state}: told of {sent.at}, kept is {found}"
    if left:
        yield f"of {answer} is kept what nobody told: {left}"


def _entry_flaws(answer: str, receipts: Sequence[SentReceipt], places: Sequence[UUID]) -> Iterator[str]:
    """A failure stands in the ticket of its conversation; where nobody ever wrote, nowhere."""
    failures = [sent for sent in receipts if sent.state is DeliveryState.FAILED and sent.ticket_id is not None]
    yield from _count_flaws(f"{answer}: `status` entries", len(places), failures)
    for place in set(places) - {sent.ticket_id for sent in failures}:
        yield f"a receipt of {answer} stands in {place}, where it does not belong"


def _count_flaws(what: str, found: int, receipts: Sequence[SentReceipt]) -> Iterator[str]:
    """What was acknowledged has one each; what was not may have."""
    least = sum(sent.acknowledged > 0 for sent in receipts)
    if not least <= found <= len(receipts):
        yield f"{'LOSS' if found < least else 'DUPLICATE'}: {what}: {found}, of {least} acknowledged receipts"


def _entries(world: World) -> defaultdict[str, list[UUID]]:
    """Return the tickets of all `status` entries, by the answer that they tell of."""
    entries: defaultdict[str, list[UUID]] = defaultdict(list)
    for fact in world.facts:
        if fact.type == MessageRevised.event_type and fact.data["message"]["kind"] == MessageKind.STATUS:
            entries[fact.data["message"]["provider_id"]].append(fact.ticket_id)
    return entries


def _shown_flaws(ledger: Ledger, world: World, told: dict[str, list[SentReceipt]]) -> Iterator[str]:
    for answer in ledger.recorded_answers:
        receipts = told.get(answer.provider_id, [])
        sure = {sent.state for sent in receipts if sent.acknowledged}
        if len(sure) == len(receipts):  # else it depends on what came through
            wanted = next((state for state in FURTHEST if state in sure), None)
            shown = world.shown.get(answer.provider_id, [])
            if shown != [wanted]:
                yield f"of {answer.provider_id} is shown {shown}, and its receipts tell {wanted}"
