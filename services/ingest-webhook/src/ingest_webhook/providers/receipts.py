"""What a platform says became of a message of ours, as a message of the kind `status` (docs/decisions/0049)."""

from datetime import datetime

from ticket_contracts.messages import Delivery
from ticket_contracts.vocabulary import Automation, Channel, DeliveryState, MessageKind
from ticket_intake.clean_text import one_line, shorten
from ticket_intake.incoming import IncomingMessage
from ticket_intake.message_data import Person

REASON_LENGTH = 1000


def receipt(
    state: DeliveryState,
    provider_id: str,
    *,
    channel: Channel,
    conversation: str,
    customer: Person,
    at: datetime | None,
    reason: str = "",
    up_to: datetime | None = None,
) -> IncomingMessage:
    """Say what became of one message, and with `up_to` of all that were sent until then.

    :param provider_id: of our message; empty where the platform tells a time alone.
    :param conversation: the key that the customer's own messages have.
    """
    return IncomingMessage(
        kind=MessageKind.STATUS,
        channel=channel,
        provider_id=provider_id,
        # A message arrives once; what names no message is told apart by whom and until when.
        revision=state if provider_id else f"{state}/{conversation}/{up_to}",
        conversation=conversation,
        sender=customer,
        sent_at=at,
        automation=Automation.GENERATED,
        may_auto_answer=False,
        delivery=Delivery(state=state, reason=shorten(reason, REASON_LENGTH), up_to=up_to),
    )


def reason_of(*parts: object) -> str:
    """Join what a platform says about a failure: its code, then its words, nothing twice."""
    said = dict.fromkeys(one_line(str(part), REASON_LENGTH) for part in parts if part)
    return ": ".join(filter(None, said))
