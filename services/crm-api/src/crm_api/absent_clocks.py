"""Why a ticket has no clock of a metric (rule 35), in words."""

import re
from collections.abc import Collection

from crm_api.read_history import TicketState
from crm_api.sla_responses import Absence, AbsentClock
from crm_api.sla_words import Language, tell_metric
from ticket_contracts.vocabulary import Metric, Priority, Status
from ticket_store.documents import Policy

ENDED = (Status.SOLVED, Status.CLOSED)

_UNUSABLE = re.compile(
    r"policy (?P<policy>.+) names calendar (?P<calendar>.+), which cannot be used: (?P<why>.+)", re.S
)
_NOTHING = re.compile(r"policy (?P<policy>.+) promises nothing for priority (?P<priority>.+)")
"""As the engine notes it when it opens a ticket, which then holds no policy."""

_IN_FOLLOW_UP: dict[Language, str] = {
    "en": "The customer has not written since the ticket before this one was closed; the {metric} clock waits for the"
    " first message.",
    "zh": "上一张工单关闭后客户尚未来信，{metric}计时从此后的首条来信开始。",
}
"""`no-customer-message` of a follow-up: to the ticket before it the customer has written."""

_WORDS: dict[Language, dict[Absence, str]] = {
    "en": {
        "spam": "The ticket is spam, and spam is promised nothing.",
        "no-customer-message": "No customer has written yet; the {metric} clock waits for the first message.",
        "no-priority": "The ticket has no priority, and targets are set by priority.",
        "no-policy": "No policy that can be used matches this ticket.",
        "no-calendar": "Policy {policy} names calendar {calendar}, which cannot be used: {why}.",
        "not-promised": "Policy {policy} promises no {metric} for priority {priority}.",
        "before-first-response": "It begins with the customer's next message after the first response.",
        "nothing-unanswered": "Since the first response no message of the customer has waited for an answer.",
        "answered-before": "The customer had been answered before a first response was promised.",
        "ended": "The ticket had ended before anything was promised.",
        "not-started": "Nothing has happened yet that starts it.",
    },
    "zh": {
        "spam": "工单是垃圾信息，不作任何承诺。",
        "no-customer-message": "客户尚未来信，{metric}计时从首条来信开始。",
        "no-priority": "工单没有优先级，而目标按优先级设定。",
        "no-policy": "没有可用的策略与此工单匹配。",
        "no-calendar": "策略 {policy} 所用的日历 {calendar} 不可用：{why}。",
        "not-promised": "策略 {policy} 对优先级 {priority} 没有{metric}承诺。",
        "before-first-response": "首次响应之后，客户的下一条来信才开始计时。",
        "nothing-unanswered": "首次响应之后，客户没有等待回复的来信。",
        "answered-before": "在承诺首次响应之前，客户已得到答复。",
        "ended": "在作出承诺之前，工单已经结束。",
        "not-started": "尚未发生启动此计时的事件。",
    },
}


def absent_clocks(
    state: TicketState, started: Collection[Metric], policy: Policy | None, noted: str, language: Language
) -> list[AbsentClock]:
    """Return the metrics that no clock was started of; `noted` is the reason that the engine gave at the opening."""
    return [_absent(metric, state, policy, noted, language) for metric in Metric if metric not in started]


def _absent(metric: Metric, state: TicketState, policy: Policy | None, noted: str, language: Language) -> AbsentClock:
    reason = why_absent(metric, state, policy, noted)
    known = {"policy": state.policy, "priority": state.priority, "calendar": "", "why": ""}
    if state.policy is None and (said := _UNUSABLE.fullmatch(noted) or _NOTHING.fullmatch(noted)) is not None:
        known |= said.groupdict()
    waits = reason == "no-customer-message" and state.previous_ticket_id is not None
    template = _IN_FOLLOW_UP[language] if waits else _WORDS[language][reason]
    words = template.format(metric=tell_metric(metric, language), **known)
    return AbsentClock(metric=metric, reason=reason, words=words)


def why_absent(metric: Metric, state: TicketState, policy: Policy | None, noted: str) -> Absence:
    """Return the first reason that holds, the deepest first."""
    if state.spam:
        return "spam"
    if state.first_customer_message_at is None and metric is not Metric.NEXT_RESPONSE:
        return "no-customer-message"
    if state.priority is None:
        return "no-priority"
    if state.policy is None:
        nothing = _NOTHING.fullmatch(noted)
        if nothing is not None and nothing["priority"] == state.priority:
            return "not-promised"
        if state.first_customer_message_at is None:  # no policy was looked for yet
            return "before-first-response"
        return "no-calendar" if _UNUSABLE.fullmatch(noted) else "no-policy"
    if policy is not None and Priority(state.priority) not in policy.targets.get(metric, {}):
        return "not-promised"
    return _why_not_yet(metric, state)


def _why_not_yet(metric: Metric, state: TicketState) -> Absence:
    """A policy promises it, and still it never began."""
    if metric is Metric.NEXT_RESPONSE:
        return "before-first-response" if state.answered_at is None else "nothing-unanswered"
    if metric is Metric.FIRST_RESPONSE and state.answered_at is not None:
        return "answered-before"
    return "ended" if state.status in ENDED else "not-started"
