"""Follow-ups that agents open: the closed ticket names its follow-up and asks it to open (rule 23).

A ticket has one follow-up, whoever causes it, and its id is derived. So a customer's message that is on its way there
meets the same ticket, and may even be the one that opens it: then the agent's words join it.
"""

from sla_engine.domain.acting import wake
from sla_engine.domain.agent_opening import first_entry, opened_already
from sla_engine.domain.arrival import count_call, follow_message
from sla_engine.domain.conversation import is_answer, speaks
from sla_engine.domain.draft import Draft
from sla_engine.domain.grading import set_priority
from sla_engine.domain.holding import assign
from sla_engine.domain.policies import Policies
from sla_engine.domain.request import Rejected
from sla_engine.domain.status_change import change_status
from sla_engine.domain.summary_size import refusal_of_growth
from sla_engine.domain.tagging import change_tags, set_fields
from sla_engine.domain.ticket import Ticket
from sla_engine.domain.writing import count_answer
from ticket_contracts.commands import Assign, SetPriority
from ticket_contracts.exchanges import FollowUp, follow_up_id
from ticket_contracts.openings import OpenTicket
from ticket_contracts.tickets import MessageAdded, MessageEntry, SuccessorNamed
from ticket_contracts.vocabulary import Channel, Status


def follow_up(draft: Draft, _: FollowUp, __: Policies) -> Rejected | None:
    """Name the follow-up, which is asked to open; from now on whatever arrives for this ticket goes there."""
    refusal = _refusal(draft.ticket)
    if refusal:
        return Rejected("rejected", refusal)
    summary = draft.ticket.summary
    bare = summary.model_copy(update={"tags": (), "fields": {}, "watchers": ()})
    too_large = refusal_of_growth("tags", bare, summary)
    if too_large is not None:
        return too_large
    draft.add(SuccessorNamed, successor_id=follow_up_id(draft.ticket.ticket_id))
    return None


def _refusal(ticket: Ticket) -> str:
    """Return why the ticket gets no follow-up, by the field of the ticket that says it, with what to do; or nothing."""
    status, merged_into = ticket.summary.status, ticket.summary.merged_into
    if merged_into is not None:
        return f"merged_into: the ticket is part of {merged_into}; write there, or follow that one up once it is closed"
    if status is Status.SOLVED:
        return "status: the ticket is solved and can be worked on; set it open again, or close it first"
    if status is not Status.CLOSED:
        return f"status: the ticket is {status} and can be worked on; only a closed ticket is followed up"
    if ticket.merging is not None:
        return f"merging_into: the ticket is being merged into {ticket.merging.target_id} at this moment; try again"
    if ticket.successor_id is not None:
        return f"successor_id: the ticket has the follow-up {ticket.successor_id} already; go on there"
    return ""


def opening_of(closed: Ticket, command: FollowUp, command_id: str) -> OpenTicket:
    """Return what the follow-up is asked: to open with the agent's words and with what the closed ticket hands on."""
    summary = closed.summary
    return OpenTicket(
        ticket_id=follow_up_id(closed.ticket_id),
        actor=command.actor,
        brand=summary.brand,
        channel=Channel.PHONE if command.call is not None else summary.channel,
        contact_id=summary.contact_id,
        contact=summary.contact,
        subject=command.subject or summary.subject[:1000],
        text=command.text,
        public=command.public,
        call=command.call and command.call.record(command_id, summary.contact),
        team=command.team or summary.team,
        assignee=command.assignee,
        priority=command.priority or summary.priority,
        tags=summary.tags,
        fields=summary.fields,
        previous_ticket_id=closed.ticket_id,
    )


def join_opened(draft: Draft, command: OpenTicket, policies: Policies) -> Rejected | None:
    """Add the agent's words to a follow-up that a customer's message has opened meanwhile.

    It becomes what the agent asked for as long as it is new; afterwards people have decided otherwise. The words are an
    answer if they stand after the customer's, as every reply is that crosses a message.
    """
    entry = first_entry(command, draft.cause, draft.at)
    if command.previous_ticket_id is None or entry.message_id in draft.ticket.message_ids:
        return opened_already(draft, command, policies)
    new = draft.ticket.summary.status is Status.NEW
    _hear(draft, entry, policies)
    if draft.ticket.summary.status is Status.NEW:
        change_status(draft, policies, Status.OPEN)
    if new:
        asked = {"ticket_id": command.ticket_id, "actor": command.actor}
        assign(draft, Assign(**asked, team=command.team, assignee=command.assignee), policies)
        if command.priority is not None:
            set_priority(draft, SetPriority(**asked, priority=command.priority), policies)
    change_tags(draft, command.tags, ())
    known = draft.ticket.summary.fields
    set_fields(draft, {**policies.workflow.fitting_fields(command.fields), **known})
    return None


def _hear(draft: Draft, entry: MessageEntry, policies: Policies) -> None:
    before = draft.ticket
    draft.add(MessageAdded, message=entry)
    if is_answer(entry):
        count_answer(draft, policies)
    elif not speaks(entry):
        count_call(draft, entry, policies)
    elif before.summary.status is not Status.CLOSED:
        wake(draft)
        follow_message(draft, policies, before)
