"""A configuration file that is read again while the service runs: sources come, go and change without a restart."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

import structlog

from ticket_intake.source_file import SourcesInvalid

# Kubernetes itself takes up to a minute to bring a changed secret into a pod; a stat of a few files costs nothing.
LOOK_SECONDS = 5.0

log = structlog.get_logger("sources")

_Fingerprint: TypeAlias = dict[Path, tuple[int, int, int] | None]


class Reading(Protocol):
    """What one reading of the file gave."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The file and all others that the reading came from; a change of any is a reason to read again."""
        ...


R = TypeVar("R", bound=Reading)


class ReloadedFile(Generic[R]):
    """Holds the newest valid reading as `current`. A file that became invalid is told, and changes nothing."""

    def __init__(self, read: Callable[[], R], count: Callable[[Literal["done", "refused"]], None]) -> None:
        """Read the file.

        :param count: called after each reading but the first with what became of it.
        :raises SourcesInvalid:
        """
        self._read = read
        self._count = count
        self.current = read()
        self._seen = _fingerprint(self.current)
        self._problems: list[str] = []
        self._asked = asyncio.Event()

    def ask_reload(self) -> None:
        """Read again now, changed or not; a signal handler calls this."""
        self._asked.set()

    async def watch(self, adopt: Callable[[R], None], look_seconds: float = LOOK_SECONDS) -> None:
        """Reload when asked or when a file changed. Run this in the supervisor.

        `adopt` is given each valid reading but the first, once it is `current`.
        A refused file is tried at every look: what it lacks may be a secret whose file nobody has read yet.
        """
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), look_seconds)
            except TimeoutError:
                if not self._problems and _fingerprint(self.current) == self._seen:
                    continue
            asked = self._asked.is_set()
            self._asked.clear()
            self._reload(adopt, tell_again=asked)

    def _reload(self, adopt: Callable[[R], None], *, tell_again: bool) -> None:
        self._seen = _fingerprint(self.current)
        try:
            reading = self._read()
        except SourcesInvalid as error:
            self._refuse(error.problems, tell_again=tell_again)
            return
        except Exception as error:  # noqa: BLE001 - nobody foresaw it; an edit must not stop what runs
            # Its words are left out: whoever did not foresee it did not see to it that they hold no secret.
            problem = f"the file cannot be read ({type(error).__name__}): undo what changed, and report this as a bug"
            self._refuse([problem], tell_again=tell_again)
            return
        self._problems = []
        self.current = reading
        self._seen = _fingerprint(reading) | {path: self._seen[path] for path in reading.files if path in self._seen}
        self._count("done")
        adopt(reading)

    def _refuse(self, problems: list[str], *, tell_again: bool) -> None:
        if tell_again or problems != self._problems:
            self._count("refused")
            log.error("the file is not valid, what was read before stays in use", problems=problems)
        self._problems = problems


@contextmanager
def on_hangup(ask: Callable[[], None]) -> Iterator[None]:
    """Call `ask` at each SIGHUP while the block lasts."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, ask)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _fingerprint(reading: Reading) -> _Fingerprint:
    return {path: _stat(path) for path in reading.files}


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # follows links: a mounted secret changes by its folder's link
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
