"""What a scenario of the SLA rules is: who does what when, under which promises, and which clocks that makes.

Times are words. `mon 10:00` lies in the first of three weeks without public holidays, `w1 mon 10:00` a week later; a
date with an offset (`2025-03-09T00:00-05:00`) is itself; `now` is after all of it, when every timer that is due has
fired. So a promise that nobody kept stands in a row as breached, and only what is due after `now` still runs.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from ticket_contracts.exchanges import follow_up_id
from ticket_store.documents import Calendar, Document, Policy, Team

TICKETS = UUID("01900000-0000-7000-8000-00000000005c")
"""The names of scenarios become ids of tickets below it."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FOLLOW_UP = "follow-up"
"""The ticket that a message for a closed one opens."""

AT_NOW = "whenever it arrived"
"""Of what one ticket asks another: its command was appended by an engine, at the time of the run."""

Step = tuple[str, ...]
"""When, who, what; fourth, if it is not the scenario's first ticket, which one."""

TIME_PASSES: Step = ("", "time", "passes")
"""Everything before was read, and every timer due by now has fired."""

EDIT: Step = ("", "admin", "edits")
"""The same, and the scenario's `edited` documents take the place of those before."""


class Clock(NamedTuple):
    """An expected clock. `stopped` None means it never was; what is left out below is not looked at."""

    metric: str
    status: str
    due: str | None = None
    stopped: str | None = None
    cycle: int = 1
    ticket: str = ""
    started: str | None = None
    breached: str | None = None
    used: timedelta | None = None
    policy: str | None = None
    version: int | None = None


class Alarm(NamedTuple):
    """What some alert has to tell: a share in percent, `breach`, `withdrawn`, or `step` and its name."""

    at: str
    metric: str
    what: str
    cycle: int = 1
    ticket: str = ""


@dataclass(frozen=True)
class Scenario:
    """One row. `options` are what its policy says beside name and match; None: there is no policy.

    Without `alarms` each breached clock gives one, at the time of its breach, and nothing else gives any; in how many
    alerts they come, and which agents these name, is looked at where `told_in` and `tells` say so. `becomes` is what
    the first ticket is at last: team and priority. `others` are policies for other teams, by team; `edited` is what
    EDIT makes of the options, None when it archives the policy.
    """

    rule: int
    sentence: str
    steps: Sequence[Step]
    clocks: Sequence[Clock] = ()
    options: Mapping[str, Any] | None = field(default_factory=dict)
    calendar: Mapping[str, Any] | None = None
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    edited: Mapping[str, Any] | None = field(default_factory=dict)
    edited_calendar: Mapping[str, Any] | None = None
    alarms: Sequence[Alarm] | None = None
    told_in: int | None = None
    tells: Set[str] | None = None
    becomes: Mapping[str, str] = field(default_factory=dict)
    no_clock: str = ""
    history: Sequence[Step] = ()

    @cached_property
    def name(self) -> str:
        """A short name that no other row has: of its policy and the tag that its tickets carry."""
        return f"rule-{self.rule}-{uuid5(TICKETS, self.sentence).hex[:6]}"

    def ticket_id(self, ticket: str = "") -> UUID:
        """Return the id of the scenario's first ticket or of another one."""
        return follow_up_id(self.ticket_id()) if ticket == FOLLOW_UP else uuid5(TICKETS, f"{self.name} {ticket}")

    def tickets(self) -> list[str]:
        """Return the tickets of which clocks are expected, and the first."""
        return list(dict.fromkeys(("", *(clock.ticket for clock in self.clocks))))

    def expected_alarms(self) -> list[Alarm]:
        """Return those stated, else one for each breach."""
        if self.alarms is not None:
            return list(self.alarms)
        breached = [clock for clock in self.clocks if clock.status == "breached"]
        return [
            Alarm(each.breached or str(each.due), each.metric, "breach", each.cycle, each.ticket) for each in breached
        ]

    def documents(self, times: "Times", edits: int = 0) -> Iterator[Document]:
        """Yield its policies and its own calendar, as they are before and after the edit."""
        calendar = self.edited_calendar if edits and self.edited_calendar is not None else self.calendar
        if calendar is not None:
            yield Calendar.model_validate({"name": self.name, **times.resolved(calendar)})
        for place, (team, other) in enumerate(self.others.items()):
            yield self._policy(times, f"{self.name}-{team}", place, other, teams=[team])
        options = self.options if not edits or self.edited == {} else self.edited
        if options is not None:
            yield self._policy(times, self.name, len(self.others), options)

    def _policy(self, times: "Times", name: str, place: int, options: Mapping[str, Any], **match: Any) -> Policy:
        content = {
            "name": name,
            "order": 10 * int(self.name.rpartition("-")[2], 16) + place,  # no two policies may share one
            "calendar": "office" if self.calendar is None else self.name,
            "targets": {"first_response": {"normal": "1h"}},
            "warnings": [],
            "match": {"tags": [self.name], **match},
            **times.resolved(options),
        }
        return Policy.model_validate(content)


OFFICE = Calendar.model_validate({"name": "office", "week": {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}})
EXPERTS = Team(name="experts", display_name="Experts")
ALWAYS = Calendar.model_validate({"name": "always", "week": {day: ["00:00-24:00"] for day in WEEKDAYS}})


@dataclass(frozen=True)
class Times:
    """What the words mean in one run: its first Monday, and the moment after everything."""

    monday: datetime
    now: datetime

    @classmethod
    def before(cls, now: datetime) -> "Times":
        """Choose the three whole weeks that end at least a day before `now`, which is less than six weeks later."""
        day = (now - timedelta(days=22)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(day - timedelta(days=day.weekday()), now)

    def at(self, words: str) -> datetime:
        """Return the moment that words name."""
        if words == "now":
            return self.now
        if words[0].isdigit():
            return datetime.fromisoformat(words).astimezone(UTC)
        *week, day, clock = words.split()
        hours, minutes = clock.split(":")
        weeks = int(week[0].removeprefix("w")) if week else 0
        return self.monday + timedelta(weeks=weeks, days=DAYS.index(day), hours=int(hours), minutes=int(minutes))

    def resolved(self, content: Any) -> Any:
        """Return a document's content with `@w1 wed 00:00` as the moment, and `@w1 wed` as the date, that it names."""
        if isinstance(content, Mapping):
            return {key: self.resolved(value) for key, value in content.items()}
        if isinstance(content, list):
            return [self.resolved(value) for value in content]
        if not isinstance(content, str) or not content.startswith("@"):
            return content
        words = content.removeprefix("@")
        return self.at(words) if ":" in words else self.at(f"{words} 00:00").date()
