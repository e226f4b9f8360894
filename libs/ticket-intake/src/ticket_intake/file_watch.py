"""Notices that a file changed: one that names sources, or a secret that such a file names."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TypeAlias

# Kubernetes itself takes up to a minute to bring a changed secret into a pod; a stat of a few files costs nothing.
LOOK_SECONDS = 5.0

_Stat: TypeAlias = tuple[int, int, int] | None


class FileWatch:
    """Looks at the files it follows every few seconds, and at once when it is asked to."""

    def __init__(self) -> None:
        self._seen: dict[Path, _Stat] = {}
        self._asked = asyncio.Event()

    def follow(self, files: Sequence[Path]) -> None:
        """Look at these from now on. What was seen of a file before stands: it may have changed while it was read."""
        self._seen = {path: self._seen[path] if path in self._seen else _stat(path) for path in files}

    def ask(self) -> None:
        """Tell of a change, changed or not; a signal handler calls this."""
        self._asked.set()

    async def changes(self, look_seconds: float = LOOK_SECONDS) -> AsyncIterator[None]:
        """Yield when asked or when a file is another than it was."""
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), look_seconds)
            except TimeoutError:
                if all(_stat(path) == seen for path, seen in self._seen.items()):
                    continue
            self._asked.clear()
            self._seen = {path: _stat(path) for path in self._seen}
            yield


def _stat(path: Path) -> _Stat:
    try:
        found = os.stat(path)  # follows links: a mounted secret changes by its folder's link
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)
