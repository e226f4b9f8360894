"""What a rule does: commands of its own, given to the handlers that everybody's commands go to."""

from collections.abc import Iterator
from typing import NamedTuple

from sla_engine.domain.acting import fill_fields, tag
from sla_engine.domain.automation_rules import Effect
from sla_engine.domain.automation_view import message_of
from sla_engine.domain.draft import Draft
from sla_engine.domain.grading import set_priority
from sla_engine.domain.holding import assign
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Handler
from sla_engine.domain.settling import settle
from sla_engine.domain.status_change import set_status
from sla_engine.domain.writing import write
from ticket_contracts.actions import ChangeTags, SetFields
from ticket_contracts.commands import AddNote, Assign, Command, Reply, SetPriority, SetStatus
from ticket_contracts.escalations import Addressee
from ticket_contracts.tickets import TicketFact, TicketSummary
from ticket_contracts.vocabulary import ActorKind, Automation


class Done(NamedTuple):
    """What came of a rule's effects: those that changed something, those that were refused, and who is told."""

    done: tuple[str, ...]
    refused: tuple[str, ...]
    notified: tuple[Addressee, ...]


def perform(draft: Draft, policies: Policies, effect: Effect, trigger: TicketFact | None) -> Done:
    """Carry out the effects in their order; one that is refused leaves no trace and does not keep the next back."""
    done: list[str] = []
    refused: list[str] = []
    cause = draft.cause
    for word, handler, command in _commands(draft, effect):
        before, facts = draft.ticket, len(draft.facts)
        reason = _unfit(command, draft, trigger)
        if not reason:
            draft.cause = f"{cause}:{word}" if isinstance(command, AddNote | Reply) else cause  # ids of entries differ
            refusal = handler(draft, command, policies)
            reason = refusal.reason if refusal is not None else ""
        if reason:
            draft.ticket = before
            del draft.facts[facts:]
            draft.wishes.clear()  # of the facts that are gone; before this effect all were carried out
            refused.append(f"{word}: {reason}")
        elif len(draft.facts) > facts:
            done.append(word)
            settle(draft, policies, draft.at)
    draft.cause = cause
    notified = policies.people.resolve(effect.notify, draft.ticket.summary)
    if notified:
        done.append("notify")
    elif effect.notify:
        refused.append("notify: nobody is meant at present")
    return Done(tuple(done), tuple(refused), notified)


def _commands(draft: Draft, effect: Effect) -> Iterator[tuple[str, Handler, Command]]:
    """Yield the word of each effect with its command, made when the ones before are done."""
    asked = {"ticket_id": draft.ticket.ticket_id, "actor": draft.actor}
    if effect.status is not None and effect.status is not draft.ticket.summary.status:
        yield f"status {effect.status}", set_status, SetStatus(**asked, status=effect.status)
    if effect.priority is not None:
        yield f"priority {effect.priority}", set_priority, SetPriority(**asked, priority=effect.priority)
    if effect.team is not None or effect.assignee is not None:
        team, assignee = _holder(effect, draft.ticket.summary)
        word = f"assign {team or ''} {assignee or ''}".replace("  ", " ").rstrip()
        yield word, assign, Assign(**asked, team=team, assignee=assignee)
    if effect.add_tags or effect.remove_tags:
        word = " ".join(
            ["tags", *(f"+{name}" for name in effect.add_tags), *(f"-{name}" for name in effect.remove_tags)]
        )
        yield word, tag, ChangeTags(**asked, add=effect.add_tags, remove=effect.remove_tags)
    if effect.fields:
        yield f"fields {', '.join(effect.fields)}", fill_fields, SetFields(**asked, fields=dict(effect.fields))
    if effect.note:
        yield "note", write, AddNote(**asked, text=effect.note)
    if effect.reply:
        yield "reply", write, Reply(**asked, text=effect.reply, author="machine")


def _holder(effect: Effect, ticket: TicketSummary) -> tuple[str | None, str | None]:
    """A team alone takes the ticket into its queue, unless the ticket is that team's already."""
    stays = effect.team in (None, ticket.team)
    return effect.team, effect.assignee or (ticket.assignee if stays else None)


def _unfit(command: Command, draft: Draft, trigger: TicketFact | None) -> str:
    """Return why a rule must not write to the customer now: an answer to a machine is answered by the machine."""
    if not isinstance(command, Reply):
        return ""
    if draft.ticket.summary.spam:
        return "the ticket is spam"
    entry = message_of(trigger) if trigger is not None else None
    if entry is not None and entry.author.kind is ActorKind.CUSTOMER and entry.automation is not Automation.HUMAN:
        return f"the message was not written by a person ({entry.automation})"
    return ""
