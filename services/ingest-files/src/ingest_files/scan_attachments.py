"""The files that came inside one message and lie in our storage: each read, scanned, and given a state."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ingest_files.errors import GiveUp, NotItsFault, TryLater
from ingest_files.scan_file import Scanner, ScannerFell
from ticket_contracts.messages import RemoteFile
from ticket_contracts.vocabulary import FileState, Scan
from ticket_store.object_storage import ObjectDamaged, ObjectMissing

Load = Callable[[str], Awaitable[bytes]]
"""Returns the content of a key; `WatchedStorage.get`."""

# Of a signature's name: a hundred of them have to fit one event.
_REASON_LENGTH = 200
# Files of one message without a verdict in one attempt; each may have taken the scanner's whole time.
_MOST_UNDECIDED = 3


class Undecided(TryLater):
    """Of some files there is no verdict. `results` has all files: those without one as `failed`, with the reason."""

    def __init__(self, reason: str, results: tuple[RemoteFile, ...]) -> None:
        super().__init__(reason)
        self.results = results


@dataclass(frozen=True, slots=True)
class AttachmentScanner:
    """`scanner` is None where none is configured: then every file is `stored`, and nothing is said of a scan."""

    load: Load
    scanner: Scanner | None

    async def scan(self, files: Sequence[RemoteFile]) -> tuple[RemoteFile, ...]:
        """Return the files as they are after it. One after another: one of them is in memory at a time.

        :raises Undecided: of some there is no verdict, so the message waits.
        :raises NotItsFault: or ScannerFell; then nothing more is asked.
        """
        results: list[RemoteFile] = []
        reasons: list[str] = []
        for file in files:
            if len(reasons) == _MOST_UNDECIDED:
                results.append(without_verdict(file, "not scanned: the scanner could not tell of others before it"))
                continue
            try:
                results.append(await self._scan_one(file))
            except (NotItsFault, ScannerFell):
                raise
            except TryLater as error:
                reasons.append(str(error))
                results.append(without_verdict(file, str(error)))
        if reasons:
            raise Undecided(reasons[0], tuple(results))
        return tuple(results)

    async def _scan_one(self, file: RemoteFile) -> RemoteFile:
        if self.scanner is None:
            return file.model_copy(update={"state": FileState.STORED})
        try:
            found = await self.scanner.find(await self.load(file.attachment_key or ""))
        except GiveUp as error:
            return without_verdict(file, str(error))
        except (ObjectMissing, ObjectDamaged):
            return without_verdict(file, "our storage no longer has it as it came")
        if found is not None:
            reason = found[:_REASON_LENGTH]
            return file.model_copy(update={"state": FileState.INFECTED, "scan": Scan.INFECTED, "reason": reason})
        return file.model_copy(update={"state": FileState.STORED, "scan": Scan.CLEAN})


def without_verdict(file: RemoteFile, reason: str) -> RemoteFile:
    """Return a file that nobody may have: it was not fetched, or not scanned."""
    return file.model_copy(update={"state": FileState.FAILED, "reason": reason[:1000], "content": None})
