"""The mailboxes and hooks in use, replaced as a whole when their file changes, while mail flows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from ingest_email.delivery import Mailbox
from ingest_email.hooks.load_hooks import HookLoader, LoadedHooks
from ingest_email.hooks.receive_hook import Hook
from ingest_email.mailboxes import Mailboxes, read_mailboxes
from ingest_email.metrics import MailMetrics
from service_kit.start_error import StartError
from ticket_intake.reloaded_file import LOOK_SECONDS, ReloadedFile
from ticket_intake.source_file import SourcesInvalid

log = structlog.get_logger("mailboxes")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one reading of the file gave, with the secrets of its hooks."""

    mailboxes: Mailboxes
    hooks: LoadedHooks

    @property
    def files(self) -> tuple[Path, ...]:
        return self.mailboxes.files + self.hooks.files


class MailboxTable:
    """Holds the newest valid reading. A file that became invalid changes nothing but a log line and a metric."""

    def __init__(self, path: Path, metrics: MailMetrics, hooks: HookLoader, *, has_database: bool) -> None:
        """Read the file.

        :raises StartError: it cannot be used.
        """

        def read() -> _Reading:
            mailboxes = read_mailboxes(path, has_database=has_database)
            return _Reading(mailboxes, hooks.load(mailboxes.hooks))

        try:
            self._file: ReloadedFile[_Reading] = ReloadedFile(read, lambda result: metrics.reloads.labels(result).inc())
        except SourcesInvalid as error:
            raise StartError(f"the mailboxes file {path} is not valid", fix=str(error)) from error

    @property
    def current(self) -> Mailboxes:
        return self._file.current.mailboxes

    def find(self, recipient: str) -> Mailbox | None:
        """Return the mailbox of a recipient, as the file says now."""
        return self.current.find(recipient)

    def hook(self, name: str) -> Hook | None:
        """Return the hook of a name, as the file says now."""
        return self._file.current.hooks.by_name.get(name)

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._file.ask_reload()

    async def watch(self, adopt: Callable[[Mailboxes], None], look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked, or when the file or a secret of a hook changed. Run this in the supervisor."""

        def changed(reading: _Reading) -> None:
            mailboxes, hooks = reading.mailboxes, sorted(reading.hooks.by_name)
            log.info("mailboxes read", addresses=len(mailboxes.addresses()), imap=len(mailboxes.imap), hooks=hooks)
            adopt(mailboxes)

        await self._file.watch(changed, look_seconds)
