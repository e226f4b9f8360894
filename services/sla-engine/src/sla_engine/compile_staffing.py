"""Turn a staffing file into teams that the simulation computes with."""

from collections.abc import Collection, Iterator, Mapping

from business_time.calendar import BusinessCalendar
from sla_engine.count_durations import wall_seconds
from sla_engine.domain.handling import Measured
from sla_engine.domain.policies import Policies
from sla_engine.domain.team_queue import Shift, StaffedTeam
from sla_engine.staffing_file import MEASURED, ShiftDocument, StaffingDocument, StaffingFile, TeamDocument
from ticket_store.configuration_findings import Finding
from ticket_store.opening_hours import opening_hours

LEAST_ANSWERS = 30  # below, the median of a team says more about these answers than about the next
_SECOND = 1_000_000  # microseconds

Measures = Mapping[str, Measured]


def wants_measures(document: StaffingDocument) -> bool:
    """Whether the handling time of any team has to be measured."""
    return any(team.handling == MEASURED for teams in document.sides().values() for team in teams.values())


def check_names(file: StaffingFile, teams: Collection[str], policies: Mapping[str, Policies]) -> None:
    """Look up names among all teams there are, and the calendars of each side's policies.

    :raises StaffingRefused: with every name that does not exist.
    """
    file.refuse(
        finding
        for side, staffed in file.document.sides().items()
        for name, team in staffed.items()
        for finding in (*_unknown_team(side, name, teams), *_unknown_calendars(f"{side}.{name}", team, policies[side]))
    )


def _unknown_team(side: str, name: str, teams: Collection[str]) -> Iterator[Finding]:
    if name not in teams:
        yield f"{side}.{name}", f"there is no team named {name!r}; correct the name"


def _unknown_calendars(where: str, team: TeamDocument, policies: Policies) -> Iterator[Finding]:
    for number, shift in enumerate(team.shifts):
        if shift.calendar is not None and shift.calendar not in policies.calendars:
            reason = policies.unusable_calendars.get(shift.calendar)
            fix = (
                f"calendar {shift.calendar!r} cannot be used: {reason}"
                if reason
                else (f"there is no calendar named {shift.calendar!r}; correct the name, or give hours instead")
            )
            yield f"{where}.shifts.{number}.calendar", fix


def check_measures(file: StaffingFile, measures: Measures) -> None:
    """
    :raises StaffingRefused: with every team that has too few answers to measure its handling time by.
    """
    file.refuse(
        (f"{side}.{name}.handling", _too_few(name, measures))
        for side, staffed in file.document.sides().items()
        for name, team in staffed.items()
        if team.handling == MEASURED and (name not in measures or measures[name].answers < LEAST_ANSWERS)
    )


def _too_few(name: str, measures: Measures) -> str:
    found = measures[name].answers if name in measures else 0
    return (
        f"{found} answers of this team can be measured and {LEAST_ANSWERS} are needed; "
        "write the time, such as 12m, take a longer span, or raise idle"
    )


def compile_side(
    document: StaffingDocument, side: str, calendars: Mapping[str, BusinessCalendar], measures: Measures
) -> dict[str, StaffedTeam]:
    """Return the teams of one side; what `check_names` and `check_measures` look for holds."""
    return {
        name: StaffedTeam(
            shifts=tuple(Shift(_calendar(shift, calendars), shift.agents) for shift in team.shifts),
            handling=(measures[name].handling if team.handling == MEASURED else wall_seconds(team.handling) * _SECOND),
            by_priority={each: wall_seconds(span) * _SECOND for each, span in team.handling_by_priority.items()},
            order=document.order,
        )
        for name, team in document.sides()[side].items()
    }


def _calendar(shift: ShiftDocument, calendars: Mapping[str, BusinessCalendar]) -> BusinessCalendar:
    if shift.hours is not None:
        return BusinessCalendar(opening_hours(shift.hours))
    assert shift.calendar is not None  # one of the two, as the file was checked
    return calendars[shift.calendar]
