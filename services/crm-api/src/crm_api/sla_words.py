"""The sentences of the SLA explanation, in English and Chinese."""

import re
from datetime import UTC, date, datetime, tzinfo
from typing import Literal

from ticket_contracts.tickets import ClockState
from ticket_contracts.vocabulary import ClockStatus, Metric

Language = Literal["en", "zh"]

_METRICS: dict[Language, dict[Metric, str]] = {
    "en": {
        Metric.FIRST_RESPONSE: "first response",
        Metric.NEXT_RESPONSE: "next response",
        Metric.UPDATE: "update",
        Metric.RESOLUTION: "resolution",
    },
    "zh": {
        Metric.FIRST_RESPONSE: "首次响应",
        Metric.NEXT_RESPONSE: "后续响应",
        Metric.UPDATE: "进展更新",
        Metric.RESOLUTION: "解决",
    },
}

_STEPS: dict[Language, dict[str, str]] = {
    "en": {
        "started": "The {metric} clock started: {target} of business time on calendar {calendar}, due {due}.",
        "paused": "The {metric} clock paused after {used} of {target}.",
        "resumed": "The {metric} clock resumed after {used} of {target}; now due {due}.",
        "retargeted": "The {metric} target is now {target}; due {due}.",
        "recalculated": "Calendar {calendar} was edited: the {metric} clock is now due {due}.",
        "warned": "{percent} % of the {metric} target ({target}) is used; due {due}.",
        "breached": "The {metric} target of {target} was missed: it was due {breached}.",
        "breach-withdrawn": "The breach of {metric} was withdrawn: the stop is dated before it was due.",
        "escalated": "Escalation step {step} was taken for the {metric}, due {due}.",
        "met": "The {metric} target was met after {used} of {target}.",
        "stopped": "The {metric} clock stopped {stopped}, after its breach.",
        "cancelled": "The {metric} clock was cancelled{reason}.",
    },
    "zh": {
        "started": "{metric}计时开始：按日历 {calendar} 须在 {target} 工作时间内完成，截止 {due}。",
        "paused": "{metric}计时暂停，已用 {used}，目标 {target}。",
        "resumed": "{metric}计时恢复，已用 {used}，目标 {target}；新的截止时间 {due}。",
        "retargeted": "{metric}目标改为 {target}；截止 {due}。",
        "recalculated": "日历 {calendar} 已修改，{metric}计时的新截止时间为 {due}。",
        "warned": "{metric}目标（{target}）已用 {percent}%；截止 {due}。",
        "breached": "{metric}超时：目标 {target}，应在 {breached} 前完成。",
        "breach-withdrawn": "{metric}的超时记录已撤销：实际完成时间早于截止时间。",
        "escalated": "{metric}（截止 {due}）已执行升级步骤 {step}。",
        "met": "{metric}达标，用时 {used}，目标 {target}。",
        "stopped": "{metric}计时于 {stopped} 停止，已超时。",
        "cancelled": "{metric}计时已取消{reason}。",
    },
}

_STANDING: dict[Language, dict[str, str]] = {
    "en": {
        "running": "Running: {used} of {target} used, due {due}.",
        "paused": "Paused since {paused}: {used} of {target} used.",
        "met": "Met at {stopped}, after {used} of {target}.",
        "breached": "Missed: it was due {breached}, is still open, and {late} of business time late.",
        "breached-stopped": "Missed: it was due {breached}, ended {stopped}, {late} of business time late.",
        "cancelled": "Cancelled after {used}{reason}.",
    },
    "zh": {
        "running": "计时中：已用 {used}，目标 {target}，截止 {due}。",
        "paused": "自 {paused} 起暂停：已用 {used}，目标 {target}。",
        "met": "已达标：{stopped} 完成，用时 {used}，目标 {target}。",
        "breached": "已超时：应于 {breached} 前完成，至今未完成，已超出 {late} 工作时间。",
        "breached-stopped": "已超时：应于 {breached} 前完成，{stopped} 结束，超出 {late} 工作时间。",
        "cancelled": "已取消，已用 {used}{reason}。",
    },
}

# Reasons that are words of ours; any other is a sentence already.
_REASONS: dict[Language, dict[str, str]] = {
    "en": {
        "superseded": "another policy took over, and its clock goes on with the time used",
        "reset": "the priority changed, and the policy starts anew",
        "merged": "the ticket became part of another one",
        "spam": "the ticket is spam",
    },
    "zh": {
        "superseded": "改用另一策略，新的计时延续已用时间",
        "reset": "优先级改变，按策略重新计时",
        "merged": "工单已并入另一张工单",
        "spam": "垃圾信息",
    },
}

# A weight has at most three decimals; q=0 means "not this one".
_LANGUAGE_RANGE = re.compile(
    r"\s*(?P<language>[a-z]{1,8})(-[a-z0-9]{1,8})*\s*(;\s*q\s*=\s*(?P<weight>[01](\.[0-9]{0,3})?))?\s*", re.I
)


def choose_language(accept_language: str) -> Language:
    """Return zh when Chinese stands before English in `Accept-Language` (RFC 9110 §12.5.4), else en."""
    best: dict[str, float] = {}
    for part in accept_language.split(","):
        if (range_ := _LANGUAGE_RANGE.fullmatch(part)) is not None:  # what is malformed tells no preference
            language = range_["language"].lower()
            best[language] = max(best.get(language, 0.0), float(range_["weight"] or 1))
    ours = [language for language in best if language in _METRICS and best[language] > 0]
    return "zh" if ours and max(ours, key=lambda language: best[language]) == "zh" else "en"  # of equals the first


def tell_step(transition: str, clock: ClockState, language: Language, zone: tzinfo = UTC) -> str:
    """Return the sentence of one step of a clock, its times in `zone`."""
    return _filled(_STEPS[language][transition], clock, language, zone)


def tell_standing(clock: ClockState, language: Language, zone: tzinfo = UTC) -> str:
    """Return how a clock stands; its `used_seconds` are those of this moment."""
    standing: str = clock.status
    if clock.status is ClockStatus.BREACHED:
        standing = "breached" if clock.stopped_at is None else "breached-stopped"
    return _filled(_STANDING[language][standing], clock, language, zone)


def _filled(sentence: str, clock: ClockState, language: Language, zone: tzinfo) -> str:
    return sentence.format(
        metric=_METRICS[language][clock.metric],
        calendar=clock.calendar,
        target=tell_span(clock.target_seconds),
        used=tell_span(clock.used_seconds),
        late=tell_span(max(0, clock.used_seconds - clock.target_seconds)),
        percent=clock.warned_percent,
        due=tell_instant(clock.due_at, zone),
        paused=tell_instant(clock.paused_at, zone),
        breached=tell_instant(clock.breached_at, zone),
        stopped=tell_instant(clock.stopped_at, zone),
        reason=_reason(clock, language),
        step=clock.steps_done[-1] if clock.steps_done else "",
    )


def _reason(clock: ClockState, language: Language) -> str:
    if clock.cancel_reason is None:
        return ""
    known = _REASONS[language].get(clock.cancel_reason, clock.cancel_reason)
    return f"（{known}）" if language == "zh" else f": {known}"


def tell_metric(metric: Metric, language: Language) -> str:
    """Return the word for a metric."""
    return _METRICS[language][metric]


def tell_span(seconds: int) -> str:
    """Return hours, minutes and seconds; days would leave open which kind of day."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def tell_instant(instant: datetime | None, zone: tzinfo = UTC) -> str:
    """Return the time on the clocks of `zone`, with its distance from UTC."""
    if instant is None:
        return "—"
    told = instant.astimezone(zone)
    if not told.utcoffset():
        return told.strftime("%Y-%m-%d %H:%M:%S UTC")
    return told.isoformat(sep=" ", timespec="seconds")


_KNOWN_UNTIL: dict[Language, str] = {
    "en": "Public holidays of calendar {calendar} are known until {day} only; the due time may still move.",
    "zh": "日历 {calendar} 的法定节假日只公布到 {day}，截止时间可能还会变动。",
}
_IMPORTED: dict[Language, str] = {
    "en": "The ticket was imported: its past counts by the original times, and alarmed nobody.",
    "zh": "此工单由其他系统导入：历史按原始时间计时，未触发任何告警。",
}


def tell_known_until(calendar: str, day: date | None, language: Language) -> str:
    """Say that a due time was worked out past what is known (rule 40)."""
    return _KNOWN_UNTIL[language].format(calendar=calendar, day=day)


def tell_imported(language: Language) -> str:
    """Say that a ticket has a past elsewhere (rule 47)."""
    return _IMPORTED[language]
