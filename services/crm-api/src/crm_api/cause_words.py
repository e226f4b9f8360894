"""What happened on a ticket, in few words: the causes of what its clocks did, and who held it."""

from crm_api.read_history import Happened
from crm_api.sla_words import Language, tell_span
from crm_api.who_held import Share
from ticket_contracts.commands import Actor
from ticket_contracts.vocabulary import ActorKind, Priority, Status

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "opened": "the ticket was opened by {actor}",
        "message-of-customer": "a message of the customer",
        "message-of-agent": "a reply by {actor}",
        "message-of-machine": "an automatic message by {actor}",
        "note": "a private note by {actor}",
        "call-held": "a call that was answered",
        "call-missed": "a missed call",
        "message-revised": "a message that was edited or deleted",
        "status-changed": "status {previous} → {status}, by {actor}",
        "priority-changed": "priority {previous} → {priority}, by {actor}",
        "assigned": "handed from {previous_holder} to {holder} by {actor}",
        "classified": "graded by {actor}",
        "reevaluated": "matched with a policy anew, by {actor}",
        "spam-marked": "marked as spam, or as none, by {actor}",
        "merged": "it became part of another ticket",
        "merge-undone": "the merge was undone by {actor}",
    },
    "zh": {
        "opened": "{actor}创建了工单",
        "message-of-customer": "客户来信",
        "message-of-agent": "{actor}回复",
        "message-of-machine": "{actor}的自动消息",
        "note": "{actor}的内部备注",
        "call-held": "已接听的通话",
        "call-missed": "未接来电",
        "message-revised": "客户修改或删除了消息",
        "status-changed": "{actor}将状态由{previous}改为{status}",
        "priority-changed": "{actor}将优先级由{previous}改为{priority}",
        "assigned": "{actor}将工单由 {previous_holder} 转给 {holder}",
        "classified": "{actor}重新定级",
        "reevaluated": "{actor}要求重新匹配策略",
        "spam-marked": "{actor}标记或取消了垃圾信息",
        "merged": "工单并入另一张工单",
        "merge-undone": "{actor}撤销了合并",
    },
}
# Words of our vocabulary that a sentence takes as they are, unless they stand here.
_VOCABULARY: dict[Language, dict[str, str]] = {
    "en": {},
    "zh": {
        Status.NEW: "新建",
        Status.OPEN: "处理中",
        Status.PENDING: "待客户",
        Status.ON_HOLD: "等第三方",
        Status.SOLVED: "已解决",
        Status.CLOSED: "已关闭",
        Priority.LOW: "低",
        Priority.NORMAL: "普通",
        Priority.HIGH: "高",
        Priority.URGENT: "紧急",
    },
}
_OTHER: dict[Language, str] = {"en": "{type}, by {actor}", "zh": "{actor}：{type}"}
_CUSTOMER: dict[Language, str] = {"en": "the customer", "zh": "客户"}
_NOTHING: dict[Language, str] = {"en": "none", "zh": "无"}
_CAUSE: dict[Language, str] = {"en": "{sentence} Cause: {cause}.", "zh": "{sentence}原因：{cause}。"}
_HELD: dict[Language, dict[bool, str]] = {
    "en": {
        True: "{holder}: {wall}, of which {business} counted.",
        False: "{holder}: {wall}; its business time cannot be told, for the calendar cannot be used.",
    },
    "zh": {
        True: "{holder}：持有 {wall}，其中计入 {business}。",
        False: "{holder}：持有 {wall}；日历不可用，无法计算工作时间。",
    },
}
_QUEUE: dict[Language, str] = {"en": "{team} (queue)", "zh": "{team}（队列）"}


def tell_event(event: Happened, language: Language) -> str:
    """Return what happened, as part of a sentence."""
    template = _WORDS[language].get(_key(event), _OTHER[language])
    return template.format(
        actor=tell_actor(event.actor, language),
        type=short_type(event),
        previous=_word(event.previous, language),
        status=_word(event.status, language),
        priority=_word(event.priority, language),
        previous_holder=tell_holder((event.previous_team or "", event.previous_assignee), language),
        holder=tell_holder(event.holder, language),
    )


def with_cause(sentence: str, event: Happened | None, language: Language) -> str:
    """Add what happened to what it made a clock do; nothing, where only time has passed."""
    return sentence if event is None else _CAUSE[language].format(sentence=sentence, cause=tell_event(event, language))


def tell_share(share: Share, language: Language) -> str:
    """Return who held the ticket for how long."""
    return _HELD[language][share.business is not None].format(
        holder=tell_holder(share.holder, language),
        wall=tell_span(int(share.wall.total_seconds())),
        business=tell_span(int(share.business.total_seconds())) if share.business is not None else "",
    )


def tell_holder(holder: tuple[str, str | None], language: Language) -> str:
    """Return the team and whoever in it has the ticket."""
    team, assignee = holder
    return f"{team}/{assignee}" if assignee else _QUEUE[language].format(team=team)


def tell_actor(actor: Actor, language: Language) -> str:
    """Return who it was: an agent by name, a machine by its id, and of customers only that it was one."""
    if actor.kind is ActorKind.CUSTOMER:
        return _CUSTOMER[language]
    return actor.name or actor.id if actor.kind is ActorKind.AGENT else actor.id


def _word(word: str | None, language: Language) -> str:
    return _NOTHING[language] if word is None else _VOCABULARY[language].get(word, word)


def short_type(event: Happened) -> str:
    """Return `message-added` of `firebreak.ticket.message-added.v1`."""
    return event.type.removeprefix("firebreak.ticket.").rsplit(".", 1)[0]


def _key(event: Happened) -> str:
    short = short_type(event)
    if short not in ("message-added", "opened"):
        return short
    if event.call_answered is not None:
        return "call-held" if event.call_answered else "call-missed"
    if short == "opened" and event.author_kind != ActorKind.CUSTOMER:
        return short
    if not event.public:
        return "note"
    return f"message-of-{event.author_kind}"
