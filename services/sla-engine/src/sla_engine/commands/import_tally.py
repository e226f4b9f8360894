"""What became of the tickets of one import, as far as it is known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sla_engine.commands.import_lines import Line
from ticket_contracts.upkeep import ImportTicket

MOST_SHOWN = 20  # refusals named; the same mistake usually stands in every line


class Outcome(NamedTuple):
    """What the engine made of a command."""

    outcome: str  # of CommandOutcome
    reason: str


@dataclass(slots=True)
class Tally:
    """Counts of lines; `waiting` holds the lines of each command whose outcome is not known, `unsent` its ticket."""

    imported: int = 0
    there: int = 0
    refused: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)
    waiting: dict[str, list[int]] = field(default_factory=dict)
    unsent: dict[str, ImportTicket] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """How many lines have an outcome."""
        return self.imported + self.there + self.refused

    def begin(self, part: Iterable[Line], found: Mapping[str, Outcome]) -> None:
        """Take the next lines; `found` is what was decided before they were sent: an earlier import did it."""
        for line in part:
            command_id = line.command_id
            if command_id in found:
                self._count(found[command_id], line.number, before=True)
            elif command_id in self.waiting:
                self.waiting[command_id].append(line.number)
            else:
                self.waiting[command_id] = [line.number]
                self.unsent[command_id] = line.command

    def settle(self, found: Mapping[str, Outcome]) -> None:
        """Count what is waited for; of lines that are the same, the first did it."""
        for command_id, outcome in found.items():
            for place, number in enumerate(self.waiting.pop(command_id, ())):
                self._count(outcome, number, before=place > 0)
            self.unsent.pop(command_id, None)

    def _count(self, outcome: Outcome, number: int, *, before: bool) -> None:
        if outcome.outcome == "applied" and not before:
            self.imported += 1
        elif outcome.outcome in ("applied", "no-op"):
            self.there += 1
        else:
            self.refused += 1
            if len(self.refusals) < MOST_SHOWN:
                self.refusals.append((number, outcome.reason or outcome.outcome))
