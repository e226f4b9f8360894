"""The router's one use case: a batch of messages becomes commands, in a constant number of statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ticket_router.assign_tickets import take_turns
from ticket_router.claim_threads import claim_threads
from ticket_router.divert_floods import FLOOD_GUARD, FLOOD_TAG, FLOOD_WORDS, NOBODY, FloodGuard, flood_note
from ticket_router.domain.classification import Classification
from ticket_router.domain.conversations import Arrival, Diversion, Placement, Plan
from ticket_router.domain.floods import FloodLimits
from ticket_router.find_contacts import contact_key, find_contacts
from ticket_router.metrics import BatchCount, RouterMetrics
from ticket_router.order_files import awaiting_scan, order_files
from ticket_router.read_deliveries import Delivered, read_deliveries
from ticket_router.receive_message_command import receive_message
from ticket_router.record_messages import find_known, outcomes_of, record_deliveries
from ticket_router.record_receipts import record_receipts
from ticket_router.routing_configuration import RoutingConfiguration
from ticket_stream.processing import Batch, Connection, NewEvent, Record

Classified = tuple[Placement, Classification]


class MessageRouter:
    """The processor of `support.messages.v1`."""

    def __init__(
        self, configuration: RoutingConfiguration, metrics: RouterMetrics, floods: FloodLimits, *, scans: bool = False
    ) -> None:
        self._configuration = configuration
        self._metrics = metrics
        self._guard = FloodGuard(floods)
        self._scans = scans

    async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
        """Write what the batch changes and return its commands, one per message that was never seen before.

        Tables are written in one order (sender floods, threads, contacts, inbound messages, receipts, agent load) and
        each in the order of its key, so that routers wait for each other but never in a circle.
        """
        if not batch.records:
            return []
        delivered = read_deliveries(batch.records)
        book = await self._configuration.rule_book(connection)
        known = await find_known(connection, delivered)
        new = [each.arrival for identity, each in delivered.items() if identity not in known]
        diverted = NOBODY

        async def divert(openings: Sequence[Arrival]) -> Mapping[bytes, Diversion]:
            nonlocal diverted
            diverted = await self._guard.divert(connection, openings, batch.after_commit)
            return diverted.diversions

        plan = await claim_threads(connection, new, batch.now, divert)
        contacts = await find_contacts(connection, [each.arrival for each in plan.placements], batch.now)
        repeats = await record_deliveries(connection, delivered, known | outcomes_of(plan))
        await record_receipts(
            connection, [each.arrival.message for identity, each in delivered.items() if identity not in repeats]
        )
        placements = [each for each in plan.placements if each.arrival.identity not in repeats]
        classified = [
            (each, _marked(book.classify(each.arrival.message), each, diverted.diversions)) for each in placements
        ]
        opened = [each.team for placement, each in classified if _is_given_out(placement, each)]
        assignees = iter(await take_turns(connection, opened, book.members))
        commands = [
            receive_message(
                self._record(delivered[placement.arrival.identity]),
                placement,
                contacts[contact_key(placement.arrival.message)],
                classification,
                next(assignees) if _is_given_out(placement, classification) else None,
                batch.now,
            )
            for placement, classification in classified
        ]
        commands += [flood_note(delivered[note.cause.identity].record, note, batch.now) for note in diverted.notes]
        ordering = [(delivered[each.arrival.identity].record, each.arrival) for each in placements]
        await order_files(connection, ordering, scans=self._scans)
        count = _count(delivered, plan, classified, repeats)
        batch.after_commit.append(lambda: self._metrics.add(count))
        return commands

    def _record(self, delivered: Delivered) -> Record:
        return awaiting_scan(delivered.record, delivered.arrival.message) if self._scans else delivered.record


def _marked(
    classification: Classification, placement: Placement, diversions: Mapping[bytes, Diversion]
) -> Classification:
    """Let the ticket of a flood say that it is one."""
    if not diversions or placement.arrival.identity not in diversions:
        return classification
    tags = classification.tags if FLOOD_TAG in classification.tags else (*classification.tags, FLOOD_TAG)
    return replace(classification, tags=tags, trace=(*classification.trace, (FLOOD_GUARD.id, FLOOD_WORDS)))


def _is_given_out(placement: Placement, classification: Classification) -> bool:
    """Whether somebody gets the ticket: nobody has a turn for spam (rule 27)."""
    return placement.opens and not classification.spam


def _count(
    delivered: Mapping[bytes, Delivered], plan: Plan, classified: Sequence[Classified], repeats: Collection[bytes]
) -> BatchCount:
    count = BatchCount()
    for placement, classification in classified:
        place = "new" if placement.opens else "known"
        count.routed[placement.arrival.message.channel, classification.team, place] += 1
    for arrival in plan.recorded:
        if arrival.identity not in repeats:
            count.recorded[arrival.message.channel, arrival.message.automation] += 1
    count.held_back = sum(arrival.identity not in repeats for arrival, _ in plan.held_back)
    for identity, each in delivered.items():
        again = each.times if identity in repeats else each.times - 1
        if again:
            count.repeats[each.arrival.message.channel] += again
    return count
