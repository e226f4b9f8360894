"""Each file of a conversation as it is now, and the content only of those that somebody may open."""

from collections.abc import Iterable, Mapping, Sequence

from crm_api.responses import AttachmentView, MessageView
from ticket_contracts.messages import Attachment, RemoteFile
from ticket_contracts.tickets import MessageEntry
from ticket_contracts.vocabulary import FileState

Verdicts = Mapping[str, RemoteFile]
"""What was told of attachments, by the key of their content: the same content is the same to a scanner."""


def are_awaited(entry: MessageEntry) -> bool:
    """Whether something of the entry was to be fetched or scanned, so that its newest state stands elsewhere."""
    return bool(entry.files) or any(each.state is not FileState.STORED for each in entry.attachments)


def verdicts_of(told: Iterable[MessageEntry]) -> Verdicts:
    return {file.attachment_key: file for entry in told for file in entry.files if file.attachment_key is not None}


def view_attachment(attachment: Attachment, verdicts: Verdicts) -> AttachmentView:
    """Return what a reader may know. Pending, failed and infected ones are named and not referred to."""
    told = verdicts.get(attachment.content.key) if attachment.state is not FileState.STORED else None
    state = told.state if told is not None else attachment.state
    return AttachmentView(
        name=attachment.name,
        size=attachment.content.size,
        media_type=attachment.content.media_type,
        inline_id=attachment.inline_id,
        danger=attachment.danger,
        state=state,
        reason=told.reason if told is not None else "",
        scan=told.scan if told is not None else None,
        content=attachment.content if state is FileState.STORED else None,
    )


def show_newest_files(items: Sequence[MessageView], told: Sequence[MessageEntry]) -> list[MessageView]:
    """Put what became of each file in the place of the file that was awaited.

    Both have the locator. Without it, two accounts that count their messages alike would show each other's files.
    """
    newest = {
        (entry.provider_id, file.number, file.locator): file
        for entry in told
        for file in entry.files
        if file.attachment_key is None
    }
    return [
        item.model_copy(
            update={"files": [newest.get((item.provider_id, file.number, file.locator), file) for file in item.files]}
        )
        for item in items
    ]
