"""The sentences of an alert, in English and Chinese."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from ticket_contracts.alerts import AlarmKind
from ticket_contracts.escalations import Bilingual, TicketEscalated
from ticket_contracts.tickets import ClockFact, TicketSummary
from ticket_contracts.vocabulary import Metric, Priority

Language = Literal["en", "zh"]

_SUBJECT_LENGTH = 120  # characters; the whole subject stands in the alert's `ticket`

_METRICS: Mapping[Language, Mapping[Metric, str]] = {
    "en": {
        Metric.FIRST_RESPONSE: "first response",
        Metric.NEXT_RESPONSE: "next response",
        Metric.UPDATE: "next update",
        Metric.RESOLUTION: "resolution",
    },
    "zh": {
        Metric.FIRST_RESPONSE: "首次响应",
        Metric.NEXT_RESPONSE: "后续响应",
        Metric.UPDATE: "进展更新",
        Metric.RESOLUTION: "解决",
    },
}

_PRIORITIES: Mapping[Priority, str] = {
    Priority.LOW: "低",
    Priority.NORMAL: "普通",
    Priority.HIGH: "高",
    Priority.URGENT: "紧急",
}

_ALARMS: Mapping[Language, Mapping[AlarmKind, str]] = {
    "en": {
        AlarmKind.WARNING: "{percent} % of the time for the {metric} is used: due {due}, {left} of business time left.",
        AlarmKind.BREACH: "The {metric} is late: it was due {due}.",
        AlarmKind.BREACH_WITHDRAWN: "The {metric} was in time after all: its breach is withdrawn.",
        AlarmKind.ESCALATION: "Step “{step}” of policy {policy} was taken, for the {metric} {state}{done}.",
    },
    "zh": {
        AlarmKind.WARNING: "{metric}时限已用 {percent}%：截止 {due}，剩余工作时间 {left}。",
        AlarmKind.BREACH: "{metric}已超时：应在 {due}前完成。",
        AlarmKind.BREACH_WITHDRAWN: "{metric}实际按时完成，超时告警撤销。",
        AlarmKind.ESCALATION: "已执行策略 {policy} 的升级步骤“{step}”：{metric}{state}{done}。",
    },
}


def alarm_words(kind: AlarmKind, fact: ClockFact, zone: ZoneInfo, left: int, late: int) -> Bilingual:
    """Return one sentence of what became of a clock; `left` and `late` are seconds of business time."""
    return Bilingual(
        en=_alarm("en", kind, fact, zone, left, late),
        zh=_alarm("zh", kind, fact, zone, left, late),
    )


def _alarm(language: Language, kind: AlarmKind, fact: ClockFact, zone: ZoneInfo, left: int, late: int) -> str:
    clock, escalated = fact.clock, isinstance(fact, TicketEscalated)
    return _ALARMS[language][kind].format(
        metric=_METRICS[language][clock.metric],
        percent=clock.warned_percent,
        due=_instant(clock.due_at, zone, language),
        left=_span(left, language),
        policy=clock.policy,
        step=fact.step if isinstance(fact, TicketEscalated) else "",
        state=_state(language, clock.breached_at is not None, left, late) if escalated else "",
        done="".join(_done(fact, language)) if isinstance(fact, TicketEscalated) else "",
    )


def _state(language: Language, breached: bool, left: int, late: int) -> str:
    if language == "zh":
        return f"已超时 {_span(late, language)}（工作时间）" if breached else f"剩余工作时间 {_span(left, language)}"
    if breached:
        return f"that is late by {_span(late, language)} of business time"
    return f"with {_span(left, language)} of business time left"


def _done(fact: TicketEscalated, language: Language) -> Iterable[str]:
    english = language == "en"
    if fact.team is not None:
        yield f"; the ticket went to team {fact.team}" if english else f"；工单转给团队 {fact.team}"
    if fact.assignee is not None:
        yield f"; it was given to {fact.assignee}" if english else f"；指派给 {fact.assignee}"
    if fact.priority is not None:
        raised = _PRIORITIES[fact.priority]
        yield f"; its priority was raised to {fact.priority}" if english else f"；优先级升为{raised}"
    for name in fact.not_done:
        yield f"; {name} is in the configuration no more" if english else f"；配置中已没有 {name}"


def ticket_words(ticket: TicketSummary, requester: str, team: str, assignee: str) -> Bilingual:
    """Return which ticket this is about; names as people know them."""
    subject = ticket.subject[:_SUBJECT_LENGTH]
    priority, zh_priority = (
        ("none", "无") if ticket.priority is None else (ticket.priority, _PRIORITIES[ticket.priority])
    )
    held, zh_held = (f"assigned to {assignee}", assignee) if assignee else ("assigned to nobody", "无")
    return Bilingual(
        en=f"Ticket #{ticket.number} “{subject}” of {requester}, priority {priority}, team {team}, {held}.",
        zh=f"工单 #{ticket.number}《{subject}》，客户 {requester}，优先级{zh_priority}，"
        f"团队 {team}，负责人 {zh_held}。",
    )


def joined(parts: Iterable[Bilingual]) -> Bilingual:
    """Return all sentences as one text."""
    told = list(parts)
    return Bilingual(en=" ".join(part.en for part in told), zh="".join(part.zh for part in told))


def _span(seconds: int, language: Language) -> str:
    """Return hours and minutes, or seconds where there are no minutes."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if not hours and not minutes:
        return f"{rest} 秒" if language == "zh" else f"{rest} s"
    units = ("小时", "分钟") if language == "zh" else ("h", "min")
    return " ".join(f"{amount} {unit}" for amount, unit in zip((hours, minutes), units, strict=True) if amount)


def _instant(instant: datetime | None, zone: ZoneInfo, language: Language) -> str:
    """Return the time as the clock of the calendar shows it."""
    if instant is None:
        return "—"
    shown = f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"
    return f"{shown}（{zone.key}）" if language == "zh" else f"{shown} ({zone.key})"
