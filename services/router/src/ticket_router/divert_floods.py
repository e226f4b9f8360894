"""Finds the senders of a batch who open too many conversations, in two statements and mostly in none."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from ticket_contracts.commands import Actor, AddNote
from ticket_contracts.topics import COMMANDS
from ticket_contracts.vocabulary import ActorKind
from ticket_router.domain import identifiers
from ticket_router.domain.conversations import Arrival
from ticket_router.domain.floods import (
    Diverted,
    Flood,
    FloodLimits,
    FloodNote,
    RecentOpenings,
    Sender,
    counted_as,
    divert,
)
from ticket_router.find_contacts import contact_key
from ticket_store.tables import sender_floods
from ticket_stream.processing import Connection, NewEvent, Record

FLOOD_GUARD = Actor(kind=ActorKind.MACHINE, id="router:flood")
FLOOD_TAG = "flood"
FLOOD_WORDS = (
    "the sender opened too many conversations at once; more of them are added here "
    "该发送方短时间内新建会话过多，后续消息并入本工单"
)
NOBODY = Diverted({}, (), ())


class FloodGuard:
    """One per process. What it counts in memory is only what was committed."""

    def __init__(self, limits: FloodLimits) -> None:
        self.limits = limits
        self._recent = RecentOpenings(limits)

    async def divert(
        self, connection: Connection, openings: Sequence[Arrival], after_commit: list[Callable[[], None]]
    ) -> Diverted:
        """Say where those of the messages go that would open a ticket too many."""
        by_sender = self._by_sender(openings)
        if not by_sender:
            return NOBODY
        watched = {
            sender: count
            for sender, arrivals in sorted(by_sender.items())
            if (count := self._recent.to_look_up(sender, len(arrivals), _last(arrivals)))
        }
        diverted = NOBODY
        if watched:
            diverted = divert(await self._count(connection, watched, by_sender), by_sender, self.limits)
        if diverted.floods:
            await _keep(connection, diverted.floods)
        after_commit.append(lambda: self._remember(by_sender, {flood.sender for flood in diverted.floods}))
        return diverted

    def _by_sender(self, openings: Sequence[Arrival]) -> dict[Sender, list[Arrival]]:
        by_sender: dict[Sender, list[Arrival]] = {}
        for arrival in openings:
            sender = contact_key(arrival.message)
            if self.limits.watches(sender):
                by_sender.setdefault(counted_as(sender, arrival.message.authentication), []).append(arrival)
        return by_sender

    def _remember(self, by_sender: Mapping[Sender, Sequence[Arrival]], flooding: Collection[Sender]) -> None:
        for sender, arrivals in by_sender.items():
            self._recent.add(sender, len(arrivals), _last(arrivals), floods=sender in flooding)

    async def _count(
        self, connection: Connection, watched: Mapping[Sender, int], by_sender: Mapping[Sender, Sequence[Arrival]]
    ) -> list[Flood]:
        rows = await connection.fetch(
            sender_floods.COUNT_OPENINGS,
            *_columns(list(watched)),
            [_last(by_sender[sender]) for sender in watched],
            list(watched.values()),
            self.limits.watched,
            self.limits.window,
        )
        found = {(row["brand"], row["kind"], row["value"]): row for row in rows}
        return [
            Flood(sender, watched[sender], row["opened"], row["ticket_id"], row["taken"])
            for sender, row in found.items()
        ]


async def _keep(connection: Connection, floods: Sequence[Flood]) -> None:
    await connection.execute(
        sender_floods.KEEP_FLOODS,
        *_columns([flood.sender for flood in floods]),
        [flood.ticket_id for flood in floods],
        [flood.taken for flood in floods],
    )


def flood_note(record: Record, note: FloodNote, now: datetime) -> NewEvent:
    """Return the command that tells the flood's ticket how much is not shown in it."""
    message = note.cause.message
    text = (
        f"{note.held_back} further messages of {message.sender.value} are counted and not shown: this sender opened "
        f"too many conversations at once. 该发送方短时间内新建会话过多，另有 {note.held_back} 条消息仅计数、不显示。"
    )
    command = AddNote(ticket_id=note.ticket_id, actor=FLOOD_GUARD, text=text)
    ticket_id = str(note.ticket_id)
    return NewEvent(
        origin=record.origin,
        topic=COMMANDS.name,
        key=ticket_id,
        id=identifiers.command_id(f"flood-note:{message.identity}"),
        type=AddNote.event_type,
        time=now,
        data=command.encode(),
        subject=ticket_id,
        causation_id=record.event.id,
        correlation_id=record.event.correlationid or record.event.id,
        traceparent=record.event.traceparent,
    )


def _last(arrivals: Sequence[Arrival]) -> datetime:
    return max(arrival.message.received_at for arrival in arrivals)


def _columns(senders: Sequence[Sender]) -> tuple[list[str], list[str], list[str]]:
    return [sender[0] for sender in senders], [sender[1] for sender in senders], [sender[2] for sender in senders]
