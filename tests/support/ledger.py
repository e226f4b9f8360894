"""What a fault run promised and was promised: every input, and whether somebody acknowledged it."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class InputKind(StrEnum):
    """How an input reached us."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    COMMAND = "command"


@dataclass(slots=True)
class SentMessage:
    """One message of a customer. `provider_id` is unique over the run; `conversation` is the test's own name for it."""

    kind: InputKind
    provider_id: str
    conversation: str
    attempts: int = 0
    acknowledged: int = 0


@dataclass(slots=True)
class SentCommand:
    """One command over the API. `mark` is its unique text, where it has one; `outcome` None while it is unknown."""

    key: str
    ticket_id: UUID
    type: str
    mark: str = ""
    attempts: int = 0
    command_id: UUID | None = None
    outcome: str | None = None


@dataclass
class Ledger:
    """All inputs of one run."""

    messages: dict[str, SentMessage] = field(default_factory=dict)
    commands: dict[str, SentCommand] = field(default_factory=dict)
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

    def said_in(self, conversation: str) -> list[SentMessage]:
        return [sent for sent in self.messages.values() if sent.conversation == conversation]

    @property
    def acknowledged_messages(self) -> list[SentMessage]:
        return [sent for sent in self.messages.values() if sent.acknowledged]

    @property
    def decided_commands(self) -> list[SentCommand]:
        return [sent for sent in self.commands.values() if sent.outcome is not None]

    def acknowledged(self) -> Counter[InputKind]:
        """Return how many inputs of each kind were acknowledged."""
        counted = Counter(sent.kind for sent in self.acknowledged_messages)
        counted[InputKind.COMMAND] = len(self.decided_commands)
        return counted
