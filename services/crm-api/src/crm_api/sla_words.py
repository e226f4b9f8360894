"""The sentences of the SLA explanation, in English and Chinese."""

import re
from datetime import datetime, timedelta
from typing import Literal

from ticket_contracts.tickets import ClockState
from ticket_contracts.vocabulary import Metric

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


def tell_step(transition: str, clock: ClockState, language: Language) -> str:
    """Return the sentence of one step of a clock."""
    return _STEPS[language][transition].format(
        metric=_METRICS[language][clock.metric],
        calendar=clock.calendar,
        target=_span(clock.target_seconds),
        used=_span(clock.used_seconds),
        percent=clock.warned_percent,
        due=_instant(clock.due_at),
        breached=_instant(clock.breached_at),
        stopped=_instant(clock.stopped_at),
        reason=_reason(clock, language),
        step=clock.steps_done[-1] if clock.steps_done else "",
    )


def _reason(clock: ClockState, language: Language) -> str:
    if clock.cancel_reason is None:
        return ""
    known = _REASONS[language].get(clock.cancel_reason, clock.cancel_reason)
    return f"（{known}）" if language == "zh" else f": {known}"


def _span(seconds: int) -> str:
    return str(timedelta(seconds=seconds))


def _instant(instant: datetime | None) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S %Z") if instant else "—"
