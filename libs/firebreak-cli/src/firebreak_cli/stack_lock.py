"""One stack per data directory, held by a lock that the system gives back when its holder dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firebreak_cli.local_stack.errors import LocalStackError


class DataDirInUseError(LocalStackError):
    """Another stack runs on this data directory."""


@contextmanager
def exclusive(lock_file: Path) -> Iterator[None]:
    """Hold the data directory, or raise `DataDirInUseError` naming who does. Programs we start do not inherit it."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirInUseError(in_use_message(lock_file)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(lock_file: Path) -> int | None:
    """Return the pid that the holder wrote down."""
    text = lock_file.read_text(encoding="ascii") if lock_file.exists() else ""
    return int(text) if text.isdecimal() else None


def in_use_message(lock_file: Path) -> str:
    """Say what to do about a data directory that is in use."""
    folder = lock_file.parent
    return (
        f"{folder} belongs to a stack that is running (pid {holder(lock_file)}). "
        f"`firebreak status --data-dir {folder}` shows it, `firebreak down --data-dir {folder}` stops it; another "
        "--data-dir with another --port-base starts a second one beside it."
    )
