"""Replay stored tickets as if other agents had answered: collect the waits, simulate the queues, replay the acts.

Tickets are read twice in one snapshot, so that between the passes only their waits are kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice

from sla_engine.compile_staffing import check_measures, compile_side, wants_measures
from sla_engine.count_durations import wall_seconds
from sla_engine.domain.acts import Deeds, read_deeds, read_history
from sla_engine.domain.conversation import EARLIEST, LATEST
from sla_engine.domain.handling import WorkLog
from sla_engine.domain.queueing import Served, as_it_went, serve
from sla_engine.domain.retiming import retime, retime_facts
from sla_engine.domain.wait_figures import figures_by_team
from sla_engine.domain.waits import Waits, microseconds, waits_of
from sla_engine.replay_histories import (
    Answer,
    Connection,
    Side,
    Span,
    Step,
    as_they_went,
    count_tickets,
    read_histories,
    read_whole,
)
from sla_engine.staffing_file import StaffingDocument, StaffingFile


@dataclass(slots=True)
class _Collected:
    waits: Waits = field(default_factory=Waits)
    log: WorkLog | None = None

    def add(self, histories: Sequence[Deeds], counted: bool) -> None:
        of_each = [waits_of(history) for history in histories]
        for waited in of_each:
            self.waits.add(waited, counted=counted)
        if self.log is not None:
            for history, waited in zip(histories, of_each, strict=True):
                self.log.add(history, waited)


async def replay_staffing(
    connection: Connection, span: Span, file: StaffingFile, sides: Mapping[str, Side], step: Step
) -> Answer:
    """Return what would have come of each side's staffing under its policies. The transaction sees one snapshot.

    :raises StaffingRefused: a handling time cannot be measured.
    """
    real = await as_they_went(connection, span)
    collected = await _collect(connection, span, file.document, step)
    waits = collected.waits
    measures = collected.log.measure(wall_seconds(file.document.idle) * 1_000_000) if collected.log is not None else {}
    check_measures(file, measures)
    until = microseconds(span.until)
    served: dict[str, Served] = {}
    for name, side in sides.items():
        step("Simulating the queues", None)
        teams = compile_side(file.document, name, side.policies.calendars, measures)
        served[name] = serve(waits, teams, until)
    await _replay(connection, span, waits, [(side, served[name]) for name, side in sides.items()], step)
    return Answer(
        {"real": real, **{name: side.results for name, side in sides.items()}},
        {name: figures_by_team(waits, each) for name, each in {"real": as_it_went(waits), **served}.items()},
        measures,
        waits.still_open,
    )


async def _collect(connection: Connection, span: Span, document: StaffingDocument, step: Step) -> _Collected:
    collected = _Collected(log=WorkLog() if wants_measures(document) else None)
    margin = timedelta(days=document.margin_days)
    parts = [
        (max(span.first, EARLIEST + margin) - margin, span.first, False),
        (span.first, span.last, True),
        (span.last, min(span.last, LATEST - margin) + margin, False),
    ]
    advance = step("Collecting waits", await count_tickets(connection, parts[0][0], parts[-1][1]))
    for first, last, counted in parts:
        async for batch in read_histories(connection, first, last, read_deeds):
            collected.add([history for _, history in batch], counted)
            advance(len(batch))
    return collected


async def _replay(
    connection: Connection, span: Span, waits: Waits, sides: Sequence[tuple[Side, Served]], step: Step
) -> None:
    tickets = waits.each_counted_ticket()
    advance = step("Replaying tickets", await count_tickets(connection, span.first, span.last))
    async for batch in read_histories(connection, span.first, span.last, read_history):
        owns = list(islice(tickets, len(batch)))
        for side, served in sides:
            moved = [retime(acts, endings(waits, own, served)) for (_, acts), own in zip(batch, owns, strict=True)]
            others = {batch[place][0]: moved[place] for place in side.count_quickly(moved, span.until)}
            async for ticket_id, facts in read_whole(connection, list(others)):
                side.count_in_full(retime_facts(facts, others[ticket_id]), span.until)
        advance(len(batch))


def endings(waits: Waits, own: range, served: Served) -> list[tuple[int, int]]:
    """Return place and moment of what ends each of a ticket's waits, in their order."""
    return [(waits.places[wait], served.ended[wait]) for wait in own]
