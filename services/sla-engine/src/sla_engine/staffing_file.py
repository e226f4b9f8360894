"""The file of `firebreak what-if --staffing`: who works when, and how long an answer takes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from sla_engine.count_durations import wall_seconds
from ticket_contracts.vocabulary import Priority
from ticket_store.configuration_checks import ConfigurationRefused, Problem, calendar_findings
from ticket_store.configuration_files import problems_of, read_parts
from ticket_store.configuration_findings import Finding
from ticket_store.documents import Calendar, Label

MEASURED = "measured"
LONGEST = 7 * 24 * 3600  # seconds of work on one answer; more is a typing error
_SPAN = r"[0-9]{1,6}(s|m|h)"

Span = Annotated[str, Field(pattern=f"^{_SPAN}$", description="working time of one agent: 12m, 90s, 2h")]


class Hours(Calendar):
    """A shift's own hours, written as a calendar of the configuration is, without a name."""

    name: Label = "hours"


class ShiftDocument(BaseModel):
    """So many agents work together; several shifts add up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agents: int = Field(ge=1, le=10_000, description="how many are at work at the same time")
    calendar: Label | None = Field(default=None, description="a calendar of the configuration; or give hours")
    hours: Hours | None = Field(default=None, description="zone, week, country, closed, working, as in a calendar")


class TeamDocument(BaseModel):
    """The agents of one team, all alike."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shifts: tuple[ShiftDocument, ...] = Field(min_length=1)
    handling: Annotated[
        str,
        Field(
            pattern=f"^({_SPAN}|{MEASURED})$",
            description="how long one answer occupies one agent, such as 12m; `measured`: the median of the log",
        ),
    ]
    handling_by_priority: dict[Priority, Span] = Field(
        default_factory=dict, description="where it differs; `handling` holds for the other priorities"
    )

    @field_validator("handling", mode="before")
    @classmethod
    def _with_its_unit(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError(f"give the unit too, such as {value}m")  # noqa: TRY004 - pydantic takes no TypeError
        return value


class StaffingDocument(BaseModel):
    """A staffing that is supposed, and the present one to see what the model is worth."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    supposed: dict[Label, TeamDocument] = Field(
        min_length=1, description="by the name of the team; others stay as fast"
    )
    present: dict[Label, TeamDocument] | None = Field(
        default=None, description="the same as it is today: modelled too, beside what really happened"
    )
    order: Literal["priority", "arrival"] = Field(
        default="priority", description="of what waits, the most pressing is taken first; or always the oldest"
    )
    margin_days: int = Field(
        default=7,
        ge=0,
        le=366,
        description="tickets opened so long before and after the span fill the queue but are not counted",
    )
    idle: Span = Field(
        default="30m", description="for `measured`: an agent who did nothing for longer had stopped work"
    )

    def sides(self) -> Mapping[str, Mapping[str, TeamDocument]]:
        """Return the stated staffings by name."""
        return (
            {"supposed": self.supposed}
            if self.present is None
            else {"present": self.present, "supposed": self.supposed}
        )


class StaffingRefused(ConfigurationRefused):
    """The file cannot be used; `problems` holds all that was found."""


@dataclass(frozen=True, slots=True)
class StaffingFile:
    """A file that was read, and the name by which problems call it."""

    name: str
    document: StaffingDocument

    def refuse(self, findings: Iterable[Finding]) -> None:
        """
        :raises StaffingRefused: there is any finding.
        """
        problems = [Problem(self.name, "", field, fix) for field, fix in findings]
        if problems:
            raise StaffingRefused(problems)


def read_staffing(path: Path) -> StaffingFile:
    """Read and check a file; names of teams and calendars are looked up later.

    :raises StaffingRefused: with every problem of the file.
    """
    try:
        parts = [part for part in read_parts(path, path.name) if part is not None]
    except ConfigurationRefused as refused:
        raise StaffingRefused(refused.problems) from refused
    if len(parts) != 1 or not isinstance(parts[0], dict):
        raise StaffingRefused([Problem(path.name, "", "", "write one document, beginning with `supposed:`")])
    try:
        file = StaffingFile(path.name, StaffingDocument.model_validate(parts[0]))
    except ValidationError as error:
        raise StaffingRefused(list(problems_of(error, path.name, ""))) from error
    file.refuse(_findings(file.document))
    return file


def _findings(document: StaffingDocument) -> Iterator[Finding]:
    yield from _working_time("idle", document.idle)
    for side, teams in document.sides().items():
        for name, team in teams.items():
            where = f"{side}.{name}"
            if team.handling != MEASURED:
                yield from _working_time(f"{where}.handling", team.handling)
            for priority, handling in team.handling_by_priority.items():
                yield from _working_time(f"{where}.handling_by_priority.{priority}", handling)
            for number, shift in enumerate(team.shifts):
                yield from _shift(f"{where}.shifts.{number}", shift)


def _working_time(field: str, span: str) -> Iterator[Finding]:
    if not 0 < wall_seconds(span) <= LONGEST:
        yield field, f"{span} is no time of work on one answer; give at least 1s and at most {LONGEST // 3600}h"


def _shift(where: str, shift: ShiftDocument) -> Iterator[Finding]:
    if (shift.calendar is None) == (shift.hours is None):
        yield where, "give either calendar, by its name, or hours with zone and week"
    elif shift.hours is not None:
        yield from ((f"{where}.hours.{field}", fix) for field, fix in calendar_findings(shift.hours))
