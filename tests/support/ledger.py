"""What a fault run promised and was promised: every input, and whether somebody acknowledged it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ticket_contracts.vocabulary import DeliveryState


class InputKind(StrEnum):
    """How an input reached us."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    BATCHED = "batched message"  # with those of other conversations in one request
    RECEIPT = "receipt"
    COMMAND = "command"


@dataclass(slots=True)
class SentMessage:
    """One message of a customer. `provider_id` is unique over the run; `conversation` is the test's own name for it."""

    kind: InputKind
    provider_id: str
    conversation: str
    attempts: int = 0
    acknowledged: int = 0


@dataclass(slots=True, kw_only=True)
class SentReceipt(SentMessage):
    """What became of one answer, of which `provider_id` is the id. `ticket_id` None: nobody ever wrote there."""

    state: DeliveryState
    at: datetime
    ticket_id: UUID | None


@dataclass(slots=True)
class SentCommand:
    """One command over the API. `mark` is its unique text, where it has one; `outcome` None while it is unknown.

    `provider_id` is what the channel's receipts call an answer.
    """

    key: str
    ticket_id: UUID
    type: str
    mark: str = ""
    provider_id: str = ""
    attempts: int = 0
    command_id: UUID | None = None
    outcome: str | None = None


@dataclass
class Ledger:
    """All inputs of one run."""

    messages: dict[str, SentMessage] = field(default_factory=dict)
    commands: dict[str, SentCommand] = field(default_factory=dict)
    receipts: list[SentReceipt] = field(default_factory=list)
    requests: list[list[SentMessage]] = field(default_factory=list)
    """Messages of several conversations that came together."""
    finished: list[str] = field(default_factory=list)
    """Conversations in which the customer has said everything, and no agent has had the last word."""

    def message(self, kind: InputKind, provider_id: str, conversation: str) -> SentMessage:
        """Note a message before it is sent."""
        sent = SentMessage(kind, provider_id, conversation)
        self.messages[provider_id] = sent
        return sent

    def command(self, key: str, ticket_id: UUID, of_type: str, mark: str = "") -> SentCommand:
        """Note a command before it is sent."""
        sent = SentCommand(key, ticket_id, of_type, mark)
        self.commands[key] = sent
        return sent

    def receipt(
        self, provider_id: str, conversation: str, state: DeliveryState, at: datetime, ticket_id: UUID | None
    ) -> SentReceipt:
        """Note a receipt before it is sent; of one answer each state once."""
        sent = SentReceipt(InputKind.RECEIPT, provider_id, conversation, state=state, at=at, ticket_id=ticket_id)
        self.receipts.append(sent)
        return sent

    def said_in(self, conversation: str) -> list[SentMessage]:
        return [sent for sent in self.messages.values() if sent.conversation == conversation]

    @property
    def acknowledged_messages(self) -> list[SentMessage]:
        return [sent for sent in self.messages.values() if sent.acknowledged]

    @property
    def decided_commands(self) -> list[SentCommand]:
        return [sent for sent in self.commands.values() if sent.outcome is not None]

    @property
    def recorded_answers(self) -> list[SentCommand]:
        """Replies that are surely in their ticket, with the channel's id."""
        return [sent for sent in self.commands.values() if sent.provider_id and sent.outcome == "applied"]

    def acknowledged(self) -> Counter[InputKind]:
        """Return how many inputs of each kind were acknowledged."""
        counted = Counter(sent.kind for sent in self.acknowledged_messages)
        counted[InputKind.COMMAND] = len(self.decided_commands)
        counted[InputKind.RECEIPT] = sum(sent.acknowledged > 0 for sent in self.receipts)
        return counted
