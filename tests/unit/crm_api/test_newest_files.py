"""A message shows each of its files as it is now, whatever was known when it came."""

from datetime import UTC, datetime
from uuid import UUID

from crm_api.file_states import show_newest_files
from crm_api.responses import MessageView
from ticket_contracts.commands import Actor
from ticket_contracts.messages import RemoteFile
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.vocabulary import ActorKind, FileState, MessageKind

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANN = Actor(kind=ActorKind.CUSTOMER, id="ann")


def entry(kind: MessageKind, provider_id: str, *files: RemoteFile) -> MessageEntry:
    return MessageEntry(
        message_id=UUID(int=1), kind=kind, provider_id=provider_id, author=ANN, public=True, files=files, at=NOON,
        received_at=NOON,
    )  # fmt: skip


def shown(made: MessageEntry) -> MessageView:
    values = {name: getattr(made, name) for name in MessageView.model_fields if name != "version"}
    return MessageView(
        version=1, **{name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    )


def file(number: int, state: FileState = FileState.PENDING) -> RemoteFile:
    return RemoteFile(number=number, name=f"{number}.png", state=state)


def test_the_file_of_another_account_with_the_same_ids_is_not_taken_for_it() -> None:
    awaited = file(0).model_copy(update={"locator": "ours"})
    theirs = file(0, FileState.STORED).model_copy(update={"locator": "theirs"})
    message = shown(entry(MessageKind.CREATED, "42/7", awaited))
    told = entry(MessageKind.ATTACHMENT, "42/7", theirs)
    assert show_newest_files([message], [told])[0].files == [awaited]


def test_the_newest_state_of_each_file_stands_in_its_message() -> None:
    messages = [
        shown(entry(MessageKind.CREATED, "one", file(0), file(1))),
        shown(entry(MessageKind.CREATED, "two", file(0))),
    ]
    fetched = [
        entry(MessageKind.ATTACHMENT, "one", file(1, FileState.FAILED)),
        entry(MessageKind.ATTACHMENT, "one", file(1, FileState.STORED)),
    ]
    first, second = show_newest_files(messages, fetched)
    assert [each.state for each in first.files] == [FileState.PENDING, FileState.STORED]
    assert [each.state for each in second.files] == [FileState.PENDING]
