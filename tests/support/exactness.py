"""Does the world show exactly one effect for every input that was acknowledged? Answers with all that is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from uuid import UUID

from tests.support.ledger import Ledger, SentCommand
from tests.support.receipt_exactness import find_receipt_flaws
from tests.support.world import SUMMARY_COLUMNS, StoredFact, World
from ticket_contracts.tickets import MessageAdded, MessageRevised, StatusChanged, TicketOpened
from ticket_contracts.topics import TICKETS
from ticket_contracts.vocabulary import ActorKind

MESSAGE_FACTS = (TicketOpened.event_type, MessageAdded.event_type)
ENTRY_FACTS = (*MESSAGE_FACTS, MessageRevised.event_type)


def find_flaws(ledger: Ledger, world: World) -> list[str]:
    """Return every difference between what was promised and what is there; the words LOSS and DUPLICATE mark those."""
    return [
        *world.trouble,
        *_message_flaws(ledger, world),
        *_conversation_flaws(ledger, world),
        *_order_flaws(ledger, world),
        *find_receipt_flaws(ledger, world),
        *_version_flaws(world),
        *_row_flaws(world),
        *_publication_flaws(world),
        *_command_flaws(ledger, world),
    ]


def _message_flaws(ledger: Ledger, world: World) -> Iterator[str]:
    inbound = defaultdict(list)
    for row in world.inbound:
        inbound[row.provider_id].append(row)
    entries = _entries(world)
    for sent in ledger.acknowledged_messages:
        rows, places = inbound[sent.provider_id], entries[sent.provider_id]
        if not rows or not places:
            yield f"LOSS: {sent.kind} {sent.provider_id}: acknowledged, {len(rows)} identities, {len(places)} entries"
        elif len(rows) > 1 or len(places) > 1:
            yield f"DUPLICATE: {sent.kind} {sent.provider_id}: {len(rows)} identities, entries in {places}"
        elif rows[0].ticket_id != places[0]:
            yield f"{sent.kind} {sent.provider_id}: routed to {rows[0].ticket_id}, but it stands in {places[0]}"
    for provider_id, places in entries.items():  # what nobody acknowledged may have come through, but once
        sent_one = ledger.messages.get(provider_id)
        if sent_one is None or (len(places) > 1 and not sent_one.acknowledged):
            yield f"DUPLICATE: {provider_id!r} stands in {places}, " + (
                "unknown" if sent_one is None else "unconfirmed"
            )


def _entries(world: World) -> defaultdict[str, list[UUID]]:
    """Return for each message of a customer the tickets of its entries."""
    entries: defaultdict[str, list[UUID]] = defaultdict(list)
    for ticket_id, provider_id in _said(world):
        entries[provider_id].append(ticket_id)
    return entries


def _said(world: World) -> Iterator[tuple[UUID, str]]:
    """Yield the ticket and the id of each message of a customer, in the order of the ticket."""
    for fact in world.facts:
        if fact.type in MESSAGE_FACTS and fact.data["message"]["author"]["kind"] == ActorKind.CUSTOMER:
            yield fact.ticket_id, fact.data["message"].get("provider_id", "")


def _conversation_flaws(ledger: Ledger, world: World) -> Iterator[str]:
    tickets_of: defaultdict[str, set[UUID]] = defaultdict(set)
    conversations_of: defaultdict[UUID, set[str]] = defaultdict(set)
    for row in world.inbound:
        sent = ledger.messages.get(row.provider_id)
        if sent is not None and row.ticket_id is not None:
            tickets_of[sent.conversation].add(row.ticket_id)
            conversations_of[row.ticket_id].add(sent.conversation)
    for conversation, tickets in tickets_of.items():
        if len(tickets) > 1:
            yield f"DUPLICATE: conversation {conversation} has the tickets {sorted(map(str, tickets))}"
    for ticket, conversations in conversations_of.items():
        if len(conversations) > 1:
            yield f"ticket {ticket} mixes the conversations {sorted(conversations)}"


def _order_flaws(ledger: Ledger, world: World) -> Iterator[str]:
    """A customer said one thing after the other, and so they stand in the ticket."""
    places = {provider_id: place for place, provider_id in enumerate(ledger.messages)}
    last: dict[UUID, str] = {}
    for ticket_id, provider_id in _said(world):
        before = last.get(ticket_id, provider_id)
        if places.get(provider_id, 0) < places.get(before, 0):
            yield f"OUT OF ORDER: {provider_id} stands in {ticket_id} after {before}, which was said later"
        last[ticket_id] = provider_id


def _version_flaws(world: World) -> Iterator[str]:
    versions: defaultdict[UUID, list[int]] = defaultdict(list)
    for fact in world.facts:
        versions[fact.ticket_id].append(fact.version)
    for ticket_id, found in versions.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield f"ticket {ticket_id} has the versions {sorted(found)}"


def _row_flaws(world: World) -> Iterator[str]:
    last: dict[UUID, StoredFact] = {}
    told: set[tuple[UUID, int]] = set()
    for fact in world.facts:
        if fact.ticket_id not in last or fact.version > last[fact.ticket_id].version:
            last[fact.ticket_id] = fact
        if fact.type in ENTRY_FACTS:
            told.add((fact.ticket_id, fact.version))
    rows = {row.ticket_id: row for row in world.tickets}
    for ticket_id in last.keys() ^ rows.keys():
        yield f"ticket {ticket_id} stands in only one of `tickets` and `ticket_events`"
    for ticket_id in last.keys() & rows.keys():
        fact, row = last[ticket_id], rows[ticket_id]
        if row.version != fact.version:
            yield f"ticket {ticket_id} is at version {row.version}, its events at {fact.version}"
            continue
        summary = {"tags": [], **fact.data["ticket"]}
        differing = [name for name in SUMMARY_COLUMNS if row.columns[name] != summary.get(name)]
        if differing:
            yield f"ticket {ticket_id} at version {row.version}: columns {differing} are not those of its last event"
    kept = {(row.ticket_id, row.version) for row in world.conversation}
    for place in told - kept:
        yield f"LOSS: the message of ticket {place[0]} version {place[1]} is not in `messages`"
    if len(world.conversation) != len(kept) or kept - told:
        yield f"DUPLICATE: `messages` has {len(world.conversation)} rows for {len(told)} messages"


def _publication_flaws(world: World) -> Iterator[str]:
    stored = {(fact.ticket_id, fact.version): fact for fact in world.facts}
    seen: set[tuple[UUID, int]] = set()
    newest: dict[UUID, int] = {}
    for record in world.once(TICKETS):
        ticket_id, version = UUID(record.data["ticket_id"]), record.data["version"]
        place, fact = f"{ticket_id} version {version}", stored.get((ticket_id, version))
        if (ticket_id, version) in seen:
            yield f"DUPLICATE: {place} is published under two sequences"
        elif version != newest.get(ticket_id, 0) + 1:
            yield f"published out of order: {place} after version {newest.get(ticket_id, 0)}"
        seen.add((ticket_id, version))
        newest[ticket_id] = max(version, newest.get(ticket_id, 0))
        if fact is None:
            yield f"published but not stored: {record.type} {place}"
        elif (fact.event_id, fact.type, fact.data) != (record.event_id, record.type, record.data):
            yield f"published otherwise than stored: {record.type} {place}"
    for ticket_id, version in stored.keys() - seen:
        yield f"LOSS: stored but not published: {stored[ticket_id, version].type} {ticket_id} version {version}"


def _command_flaws(ledger: Ledger, world: World) -> Iterator[str]:
    marks: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for fact in world.facts:
        if fact.type == MessageAdded.event_type:
            marks[fact.data["message"].get("text", "")] += 1
        elif fact.type == StatusChanged.event_type:
            statuses[fact.causation_id] += 1
    for sent in ledger.decided_commands:
        yield from _one_command(sent, world, marks, statuses)
    for sent in ledger.commands.values():
        if sent.outcome is None and marks[sent.mark] > 1:
            yield f"DUPLICATE: {sent.type} {sent.key}, never answered, has {marks[sent.mark]} effects"


def _one_command(sent: SentCommand, world: World, marks: Counter[str], statuses: Counter[str]) -> Iterator[str]:
    if sent.command_id is not None and world.outcomes.get(str(sent.command_id)) != sent.outcome:
        recorded = world.outcomes.get(str(sent.command_id))
        yield f"LOSS: {sent.type} {sent.key} was answered with {sent.outcome}; recorded is {recorded}"
    wanted = 1 if sent.outcome == "applied" else 0
    effects = wanted  # of a command without a mark or a known id nothing can be told
    if sent.mark:
        effects = marks[sent.mark]
    elif sent.type == "set-status" and sent.command_id is not None:
        effects = statuses[str(sent.command_id)]
    if effects != wanted:
        word = "DUPLICATE" if effects > wanted else "LOSS"
        yield f"{word}: {sent.type} {sent.key} is {sent.outcome} and has {effects} effects"
