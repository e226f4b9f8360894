"""The router's one use case: a batch of messages becomes commands, in a constant number of statements."""

from collections.abc import Collection, Mapping, Sequence

from ticket_router.assign_tickets import take_turns
from ticket_router.claim_threads import claim_threads
from ticket_router.domain.classification import Classification
from ticket_router.domain.conversations import Placement, Plan
from ticket_router.find_contacts import contact_key, find_contacts
from ticket_router.metrics import BatchCount, RouterMetrics
from ticket_router.read_deliveries import Delivered, read_deliveries
from ticket_router.receive_message_command import receive_message
from ticket_router.record_messages import find_known, outcomes_of, record_deliveries
from ticket_router.routing_configuration import RoutingConfiguration
from ticket_stream.processing import Batch, Connection, NewEvent

Classified = tuple[Placement, Classification]


class MessageRouter:
    """The processor of `support.messages.v1`."""

    def __init__(self, configuration: RoutingConfiguration, metrics: RouterMetrics) -> None:
        self._configuration = configuration
        self._metrics = metrics

    async def process(self, batch: Batch, connection: Connection) -> Sequence[NewEvent]:
        """Write what the batch changes and return its commands, one per message that was never seen before.

        Tables are written in one order (threads, contacts, inbound messages, agent load) and each in the order of its
        key, so that routers wait for each other but never in a circle.
        """
        if not batch.records:
            return []
        delivered = read_deliveries(batch.records)
        book = await self._configuration.rule_book(connection)
        known = await find_known(connection, delivered)
        new = [each.arrival for identity, each in delivered.items() if identity not in known]
        plan = await claim_threads(connection, new, batch.now)
        contacts = await find_contacts(connection, [each.arrival for each in plan.placements], batch.now)
        repeats = await record_deliveries(connection, delivered, known | outcomes_of(plan))
        placements = [each for each in plan.placements if each.arrival.identity not in repeats]
        classified = [(each, book.classify(each.arrival.message)) for each in placements]
        opened = [each.team for placement, each in classified if _is_given_out(placement, each)]
        assignees = iter(await take_turns(connection, opened, book.members))
        commands = [
            receive_message(
                delivered[placement.arrival.identity].record,
                placement,
                contacts[contact_key(placement.arrival.message)],
                classification,
                next(assignees) if _is_given_out(placement, classification) else None,
                batch.now,
            )
            for placement, classification in classified
        ]
        count = _count(delivered, plan, classified, repeats)
        batch.after_commit.append(lambda: self._metrics.add(count))
        return commands


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
    for identity, each in delivered.items():
        again = each.times if identity in repeats else each.times - 1
        if again:
            count.repeats[each.arrival.message.channel] += again
    return count
