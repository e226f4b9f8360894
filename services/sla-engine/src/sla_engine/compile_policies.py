"""Turn the configuration's documents into policies and calendars that the domain computes with."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfoNotFoundError

import structlog
from pydantic import ValidationError

from business_time.calendar import BusinessCalendar, CalendarNeverOpens
from sla_engine.compile_automation import compile_automation
from sla_engine.compile_people import compile_people
from sla_engine.compile_steps import compile_steps
from sla_engine.compile_workflow import compile_workflow
from sla_engine.count_durations import seconds
from sla_engine.domain import policies as domain
from sla_engine.domain.policies import WALL_CLOCK, Policies
from ticket_contracts.vocabulary import Metric, Priority
from ticket_store import configuration, documents
from ticket_store.configuration import Configuration, Versioned
from ticket_store.opening_hours import opening_hours
from ticket_stream.processing import Connection

LATEST_CALENDARS = """
SELECT DISTINCT ON (name) body
FROM configuration_documents
WHERE kind = 'calendar' AND name = ANY($1::text[])
ORDER BY name, version DESC
"""
"""Archived ones too: a clock goes on although its calendar is offered to no new ticket (rule 33)."""

CALENDAR_VERSIONS = """
SELECT name, body
FROM configuration_documents
WHERE kind = 'calendar' AND name = ANY($1::text[])
ORDER BY name, version DESC
"""

log = structlog.get_logger("policies")

PolicyVersion = tuple[str, int]


class PolicyBook:
    """The policies of the present configuration, compiled when the head has changed, with past versions on demand.

    What it keeps was committed by others before our transaction read it, so a retried batch finds the same.
    """

    def __init__(self, supposed: Policies | None = None) -> None:
        """Start from `supposed` policies in place of the configuration's, for a look at what they would do."""
        self._head: int | None = None
        self._policies = Policies() if supposed is None else supposed

    async def current(self, connection: Connection) -> Policies:
        """Return the policies as this transaction sees them."""
        if await configuration.read_head(connection) != self._head:
            loaded = await configuration.load(connection)
            self._policies = compile_configuration(loaded, await earlier_versions(connection, loaded))
            self._head = loaded.version
            log.info("policies compiled", version=loaded.version, policies=len(self._policies.in_force))
        return self._policies

    async def including(
        self, connection: Connection, versions: Collection[PolicyVersion], calendars: Collection[str]
    ) -> Policies:
        """Return the same with the versions and calendars that tickets still hold."""
        known = self._policies
        missing_versions = [version for version in versions if version not in known.past]
        past = await configuration.load_past(connection, documents.Policy, missing_versions) if missing_versions else {}
        sought = {*known.calendars, *known.unusable_calendars}
        # Those of the policies too, before these are compiled: how long a business day is, the calendar says.
        missing_calendars = list({*calendars, *(policy.calendar for policy in past.values())} - sought)
        if missing_calendars:
            found = await connection.fetch(LATEST_CALENDARS, missing_calendars)
            usable, unusable = compile_calendars(_calendar(row["body"]) for row in found)
            earlier = await usable_versions(connection, unusable)
            known = replace(
                known,
                calendars={**known.calendars, **usable, **earlier},
                unusable_calendars={**known.unusable_calendars, **_unread(missing_calendars, found), **unusable},
            )
        if past:
            compiled = {
                (name, version): held_policy(policy, version, known.calendars)
                for (name, version), policy in past.items()
            }
            known = replace(known, past={**known.past, **compiled})
        self._policies = known
        return known


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is no more in force, and counts.

    `policies` are, of those that hold only for tickets opened from some time on, the versions before, the newest first;
    `calendars`, of those that were archived meanwhile or whose newest version cannot be used, the last one that can.
    """

    policies: Mapping[str, Sequence[Versioned[documents.Policy]]] = field(default_factory=dict)
    calendars: Mapping[str, BusinessCalendar] = field(default_factory=dict)


async def earlier_versions(connection: Connection, loaded: Configuration) -> Earlier:
    """Read the earlier versions that count beside what is in force."""
    dated = {
        name: policy.version for name, policy in loaded.of(documents.Policy).items() if policy.document.effective_from
    }
    wanted = [(name, version) for name, newest in dated.items() for version in range(newest - 1, 0, -1)]
    found = await configuration.load_past(connection, documents.Policy, wanted) if wanted else {}
    earlier: dict[str, list[Versioned[documents.Policy]]] = {name: [] for name in dated}
    for name, version in wanted:
        if (name, version) in found:
            earlier[name].append(Versioned(found[name, version], version))
    usable, unusable = compile_calendars(each.document for each in loaded.of(documents.Calendar).values())
    named = {each.document.calendar for versions in earlier.values() for each in versions}
    return Earlier(earlier, await usable_versions(connection, {*unusable, *named} - usable.keys()))


async def usable_versions(connection: Connection, names: Collection[str]) -> dict[str, BusinessCalendar]:
    """Return the newest version of each calendar that can be used; none of one that never could.

    A library or a tz database that knows less than the one of the day of the edit must take no promise back.
    """
    found: dict[str, BusinessCalendar] = {}
    if names:
        for row in await connection.fetch(CALENDAR_VERSIONS, list(names)):
            if row["name"] not in found:
                with suppress(ValidationError):  # of a release that wrote calendars otherwise
                    found |= compile_calendars([_calendar(row["body"])])[0]
    return found


def _calendar(body: str) -> documents.Calendar:
    return documents.Calendar.model_validate_json(body, extra="ignore")


def _unread(names: Collection[str], rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return why calendars cannot be used of which no version is there."""
    there = {_calendar(row["body"]).name for row in rows}
    return {name: "it does not exist" for name in names if name not in there}


def compile_configuration(loaded: Configuration, earlier: Earlier | None = None) -> Policies:
    """Compile what is in force, and the earlier versions that still hold for some tickets."""
    earlier = earlier or Earlier()
    usable, unusable = compile_calendars(versioned.document for versioned in loaded.of(documents.Calendar).values())
    calendars = {**earlier.calendars, **usable}
    policies: list[domain.Policy] = []
    past: dict[PolicyVersion, domain.Policy] = {}
    for name, newest in loaded.of(documents.Policy).items():
        known = [newest, *earlier.policies.get(name, ())]
        past |= {(name, each.version): held_policy(each.document, each.version, calendars) for each in known}
        before = [compile_policy(each.document, each.version, calendars) for each in known[1:]]
        policies.append(replace(compile_policy(newest.document, newest.version, calendars), earlier=tuple(before)))
    return Policies(
        in_force=tuple(sorted(policies, key=lambda policy: (policy.order, policy.name))),
        past=past,
        calendars=calendars,
        unusable_calendars=unusable,
        workflow=compile_workflow(loaded),
        automation=compile_automation(loaded, calendars),
        people=compile_people(loaded),
    )


def compile_calendars(
    found: Iterable[documents.Calendar],
) -> tuple[dict[str, BusinessCalendar], dict[str, str]]:
    """Return the calendars, and for each that cannot be used the reason: its tickets show it (rule 35)."""
    usable: dict[str, BusinessCalendar] = {}
    unusable: dict[str, str] = {}
    for calendar in found:
        try:
            usable[calendar.name] = BusinessCalendar(opening_hours(calendar))
        except (CalendarNeverOpens, ZoneInfoNotFoundError, NotImplementedError) as error:  # the last: unknown country
            unusable[calendar.name] = str(error)
            log.warning("calendar cannot be used", calendar=calendar.name, reason=str(error))
    return usable, unusable


def compile_policy(policy: documents.Policy, version: int, calendars: Mapping[str, BusinessCalendar]) -> domain.Policy:
    """Count the targets out in seconds. Without a usable calendar there are none; the ticket then says why."""
    calendar = calendars.get(policy.calendar)
    return domain.Policy(
        name=policy.name,
        version=version,
        order=policy.order,
        calendar=policy.calendar,
        targets={} if calendar is None else _targets(policy, calendar),
        warnings=policy.warnings,
        steps=() if calendar is None else compile_steps(policy, calendar),
        pause_on=frozenset(policy.pause_on),
        pauses=frozenset(policy.pauses),
        call_counts_as_reply=policy.call_counts_as_reply,
        on_reopen=policy.on_reopen,
        on_priority=policy.on_priority,
        effective_from=policy.effective_from,
        brands=frozenset(policy.match.brands),
        channels=frozenset(policy.match.channels),
        teams=frozenset(policy.match.teams),
        tags=frozenset(policy.match.tags),
    )


def held_policy(policy: documents.Policy, version: int, calendars: Mapping[str, BusinessCalendar]) -> domain.Policy:
    """Compile it for the clocks that were started under it: they go on when its calendar cannot be used any more."""
    return compile_policy(policy, version, {policy.calendar: WALL_CLOCK, **calendars})


def _targets(policy: documents.Policy, calendar: BusinessCalendar) -> dict[Metric, dict[Priority, int]]:
    targets: dict[Metric, dict[Priority, int]] = {}
    for metric, promised in policy.targets.items():
        for priority, duration in promised.items():
            counted = seconds(duration, calendar)
            if calendar.reaches(timedelta(seconds=counted)):
                targets.setdefault(metric, {})[priority] = counted
            else:  # no clock, said on the ticket, is better than a partition that stops at an impossible sum
                log.warning("target cannot be reached", policy=policy.name, metric=metric, priority=priority)
    return targets
