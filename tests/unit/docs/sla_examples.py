"""The examples of docs/sla.md, played by the engine's own rules: what the page's tables and pictures must say."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import yaml

from sla_engine.compile_policies import compile_configuration
from sla_engine.domain.policies import Policies
from tests.unit.sla_engine.case import MACHINE, TICKET_ID, Case
from ticket_contracts.actions import MarkSpam
from ticket_contracts.commands import Assign
from ticket_contracts.exchanges import AbsorbMerged, FinishMerge, Merge
from ticket_contracts.messages import CallRecord
from ticket_contracts.tickets import ClockFact, ClockState
from ticket_contracts.vocabulary import Automation, ClockStatus, Metric, Priority, Status
from ticket_store.configuration import Configuration, Versioned
from ticket_store.document_kinds import DOCUMENT_KINDS

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 1, 5, tzinfo=ZONE)
DAYS = {"Mon": "周一", "Tue": "周二", "Wed": "周三", "Thu": "周四", "Fri": "周五", "Sat": "周六", "Sun": "周日"}
_CHINESE = re.compile(r"\s*[\u4e00-\u9fff]+")
_EXAMPLE = re.compile(
    r"^<!-- example: (?P<name>[\w-]+)(?P<options>( \w+=\w+)*) -->\n(?P<table>(\|.*\n)+)", re.MULTILINE
)
_PICTURE = re.compile(
    r"^<!-- picture: (?P<name>[\w-]+) (?P<metrics>[\w# ]+) -->\n```mermaid\n(?P<text>.*?)```", re.MULTILINE | re.DOTALL
)
_WORDS = {
    ClockStatus.RUNNING: "running 计时中",
    ClockStatus.PAUSED: "paused 暂停",
    ClockStatus.MET: "met 达标",
    ClockStatus.BREACHED: "missed 超时",
    ClockStatus.CANCELLED: "cancelled 取消",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an example's table."""

    when: str
    what: str
    clocks: str


@dataclass(frozen=True, slots=True)
class Example:
    """One table of the page. `options` are those of the policy that differ."""

    name: str
    options: dict[str, str]
    rows: list[Row] = field(default_factory=list)


def examples(page: str) -> Iterator[Example]:
    """Yield the examples in the page's order."""
    for found in _EXAMPLE.finditer(page):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in found["table"].splitlines()]
        options = dict(option.split("=") for option in found["options"].split())
        yield Example(found["name"], options, [Row(*cells) for cells in lines[2:]])


def pictures(page: str) -> Iterator[tuple[str, list[str], str]]:
    """Yield the pictures: the example's name, the clocks that it shows, and its text."""
    for found in _PICTURE.finditer(page):
        yield found["name"], found["metrics"].split(), found["text"]


def policies(page: str, **options: str) -> Policies:
    """Compile the policy and the calendar that the page shows, with other options."""
    [text] = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    written = [dict(each) for each in yaml.safe_load_all(text)]
    documents = []
    for each in written:
        kind = DOCUMENT_KINDS[each.pop("kind")]
        changed = {**each, **options} if kind.kind == "policy" and each["name"] == "standard" else each
        documents.append(kind.model_validate(changed))
    return compile_configuration(Configuration(1, {(each.kind, each.name): Versioned(each, 1) for each in documents}))


def at(words: str) -> datetime:
    """Read `Mon 周一 10:00`, `next Mon 下周一 10:00` or `2026-02-13 16:30`, on the clocks of the page's calendar."""
    plain = _CHINESE.sub("", words).strip()
    if plain[0].isdigit():
        return datetime.fromisoformat(plain).replace(tzinfo=ZONE).astimezone(UTC)
    *week, day, clock = plain.split()
    hours, minutes = clock.split(":")
    days = list(DAYS).index(day) + (7 if week else 0)
    return (MONDAY + timedelta(days=days, hours=int(hours), minutes=int(minutes))).astimezone(UTC)


def told(instant: datetime) -> str:
    """Write a time as `at` reads it."""
    local = instant.astimezone(ZONE)
    week, day = divmod((local.date() - MONDAY.date()).days, 7)
    if week not in (0, 1):
        return local.strftime("%Y-%m-%d %H:%M")
    english, chinese = list(DAYS.items())[day]
    return f"{'next ' * week}{english} {'下' * week}{chinese} {local:%H:%M}"


def cell(clock: ClockState) -> str:
    """Say how a clock stands, as the page does."""
    words = f"{name(clock)} {_WORDS[clock.status]}"
    if clock.status in (ClockStatus.RUNNING, ClockStatus.BREACHED):
        assert clock.due_at is not None
        words += f", due 截止 {told(clock.due_at)}"
        if clock.warned_percent and clock.status is ClockStatus.RUNNING:
            words += f", warned 已预警 {clock.warned_percent} %"
        return words
    minutes = clock.used_seconds // 60
    return f"{words}, used 已用 {minutes // 60}:{minutes % 60:02d}"


def name(clock: ClockState) -> str:
    """Return `resolution`, and `resolution#2` of the second cycle."""
    return clock.metric if clock.cycle == 1 else f"{clock.metric}#{clock.cycle}"


def cells(case: Case, wanted: str) -> str:
    """Say how those clocks stand that `wanted` names, in its order."""
    found = {name(clock): cell(clock) for clock in case.stored.clocks} if case.stored else {}
    names = [part.split()[0] for part in wanted.split("<br>")]
    return "<br>".join(found.get(each, f"{each} none 无") for each in names)


class Played(Case):
    """A ticket that lives through an example."""

    def __init__(self, page: str, **options: str) -> None:
        super().__init__(policies(page, **options))
        self.messages = 0

    def step(self, when: datetime, what: str) -> None:
        """Do what a row says."""
        if self.stored is not None:
            self.pass_time(when)
        words = what.split(" · ")[0]
        STEPS[words.split(" ", 1)[0]](self, when, words)

    def write(self, when: datetime, **message: object) -> None:
        """Let the customer write."""
        self.messages += 1
        self.receive(when, self.messages, **message)  # type: ignore[arg-type]


Step = Callable[[Played, datetime, str], object]


def _agent(case: Played, when: datetime, words: str) -> None:
    missed = re.fullmatch(r"agent notes a missed call of (\d\d:\d\d)", words)
    if words == "agent replies":
        case.reply(when)
    elif missed:
        local = when.astimezone(ZONE)
        called_at = datetime.combine(local.date(), datetime.strptime(missed[1], "%H:%M").time(), ZONE)  # noqa: DTZ007
        call = CallRecord(
            call_id="1", direction="inbound", answered=False, caller="", callee="", started_at=called_at, seconds=0
        )
        case.open_by_agent(when, public=False, call=call)
    else:
        case.open_by_agent(when, public={"agent opens with a message": True, "agent opens with a note": False}[words])


def _merge(case: Played, when: datetime, _: str) -> None:
    target = UUID(int=7)
    case.ask(Merge(ticket_id=TICKET_ID, actor=MACHINE, target_id=target), when, "merge")
    case.ask(FinishMerge(ticket_id=TICKET_ID, actor=MACHINE, merge_id="merge", target_id=target), when)


def _absorb(case: Played, when: datetime, _: str) -> None:
    source = UUID(int=8)
    case.ask(AbsorbMerged(ticket_id=TICKET_ID, actor=MACHINE, source_id=source, merge_id="m", number=1002), when)


def _status(case: Played, when: datetime, words: str) -> None:
    case.set_status(Status(words.split()[-1]), when)


STEPS: dict[str, Step] = {
    "customer": lambda case, when, _: case.write(when),
    "out-of-office": lambda case, when, _: case.write(when, automation=Automation.AUTOMATIC_ANSWER),
    "agent": _agent,
    "note": lambda case, when, _: case.note(when),
    "machine": lambda case, when, _: case.reply(when, actor=MACHINE),
    "status": _status,
    "priority": lambda case, when, words: case.set_priority(Priority(words.split()[-1]), when),
    "team": lambda case, when, words: case.ask(
        Assign(ticket_id=TICKET_ID, actor=MACHINE, team=words.split()[-1]), when
    ),
    "spam": lambda case, when, _: case.ask(MarkSpam(ticket_id=TICKET_ID, actor=MACHINE, spam=True), when),
    "merged": _merge,
    "absorbs": _absorb,
    "time": lambda *_: None,
}
"""By the first word of what happens."""


def play(page: str, example: Example) -> tuple[Played, list[str]]:
    """Return the ticket at the end, and what must stand in the last column of each row."""
    case, expected = Played(page, **example.options), []
    for row in example.rows:
        case.step(at(row.when), row.what)
        expected.append(cells(case, row.clocks))
    return case, expected


_BARS = {"counts": "counts 计时 :", "paused": "paused 暂停 :done, ", "late": "late 超时 :crit, "}


def picture(case: Case, names: Sequence[str], until: datetime) -> str:
    """Draw when clocks counted, stood still and were late: minute by minute, and nothing out of hours."""
    lines = ["gantt", "  dateFormat YYYY-MM-DD HH:mm", "  axisFormat %a %H:%M"]
    for wanted in names:
        turns = [(fact.at, fact.clock) for fact in case.facts if isinstance(fact, ClockFact)]
        turns = [(opened, clock) for opened, clock in _opening(case)] + turns
        turns = [(when, clock) for when, clock in turns if name(clock) == wanted]
        lines += [f"  section {wanted}", *_bars(case, turns, until)]
    return "\n".join(lines) + "\n"


def _opening(case: Case) -> list[tuple[datetime, ClockState]]:
    opened = case.facts[0]
    return [(clock.started_at, clock) for clock in getattr(opened, "clocks", ())]


def _bars(case: Case, turns: Sequence[tuple[datetime, ClockState]], until: datetime) -> Iterator[str]:
    calendar = case.policies.calendars[turns[0][1].calendar]
    moment, label, since = turns[0][1].started_at, "", turns[0][1].started_at
    while moment <= until:
        clock = [each for when, each in turns if when <= moment][-1]
        counted = moment < until and clock.stopped_at is None and calendar.is_open(moment)
        paused = clock.status is ClockStatus.PAUSED
        now = "" if not counted else "paused" if paused else "late" if clock.breached_at else "counts"
        if now != label:
            if label:
                begun, ended = (f"{each.astimezone(ZONE):%Y-%m-%d %H:%M}" for each in (since, moment))
                yield f"  {_BARS[label]}{begun}, {ended}"
            label, since = now, moment
        moment += timedelta(minutes=1)


EFFECTS: dict[str, Callable[[Played, datetime], object]] = {
    "customer writes": lambda case, when: case.write(when),
    "agent replies": lambda case, when: case.reply(when),
    "note": lambda case, when: case.note(when),
    "machine answers": lambda case, when: case.reply(when, actor=MACHINE),
    "status pending": lambda case, when: case.set_status(Status.PENDING, when),
    "status on-hold": lambda case, when: case.set_status(Status.ON_HOLD, when),
    "status solved": lambda case, when: case.set_status(Status.SOLVED, when),
    "status closed": lambda case, when: case.set_status(Status.CLOSED, when),
    "merged": lambda case, when: _merge(case, when, ""),
    "spam": lambda case, when: case.ask(MarkSpam(ticket_id=TICKET_ID, actor=MACHINE, spam=True), when),
}
_EFFECT_WORDS = {
    ClockStatus.RUNNING: "–",
    ClockStatus.PAUSED: "pauses 暂停",
    ClockStatus.MET: "meets 达标",
    ClockStatus.CANCELLED: "cancels 取消",
}


def effects(page: str, what: str) -> list[str]:
    """Return what something does to each metric's running clock, in the order first, next, update, resolution."""
    first, later = Played(page), Played(page)
    for case in (first, later):
        case.write(at("Mon 10:00"))
    later.reply(at("Mon 10:05"))
    later.write(at("Mon 10:10"))
    clocks = [(first, metric, 1) for metric in (Metric.FIRST_RESPONSE, Metric.UPDATE, Metric.RESOLUTION)]
    clocks.insert(1, (later, Metric.NEXT_RESPONSE, 1))
    for case in (first, later):
        EFFECTS[what](case, at("Mon 10:20"))
    return [_EFFECT_WORDS[case.clock(metric, cycle).status] for case, metric, cycle in clocks]
