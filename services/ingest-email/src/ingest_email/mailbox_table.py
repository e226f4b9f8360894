"""The mailboxes in use, replaced as a whole when their file changes, while mail flows."""

from collections.abc import Callable
from pathlib import Path

import structlog

from ingest_email.delivery import Mailbox
from ingest_email.mailboxes import Mailboxes, read_mailboxes
from ingest_email.metrics import MailMetrics
from service_kit.start_error import StartError
from ticket_intake.reloaded_file import LOOK_SECONDS, ReloadedFile
from ticket_intake.source_file import SourcesInvalid

log = structlog.get_logger("mailboxes")


class MailboxTable:
    """Holds the newest valid reading. A file that became invalid changes nothing but a log line and a metric."""

    def __init__(self, path: Path, metrics: MailMetrics, *, has_database: bool) -> None:
        """Read the file.

        :raises StartError: it cannot be used.
        """
        try:
            self._file: ReloadedFile[Mailboxes] = ReloadedFile(
                lambda: read_mailboxes(path, has_database=has_database),
                lambda result: metrics.reloads.labels(result).inc(),
            )
        except SourcesInvalid as error:
            raise StartError(f"the mailboxes file {path} is not valid", fix=str(error)) from error
        self._hooks = self._file.current.hooks

    @property
    def current(self) -> Mailboxes:
        return self._file.current

    def find(self, recipient: str) -> Mailbox | None:
        """Return the mailbox of a recipient, as the file says now."""
        return self._file.current.find(recipient)

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._file.ask_reload()

    async def watch(self, adopt: Callable[[Mailboxes], None], look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when the file changed. Run this in the supervisor.

        Hooks stay as they were at the start: what they remember of used tokens must not be lost by an edit.
        """

        def changed(mailboxes: Mailboxes) -> None:
            log.info("mailboxes read", addresses=len(mailboxes.addresses()), imap=len(mailboxes.imap))
            if mailboxes.hooks != self._hooks:
                log.warning("hooks are read at start only: restart the process to use what changed in them")
            adopt(mailboxes)

        await self._file.watch(changed, look_seconds)
