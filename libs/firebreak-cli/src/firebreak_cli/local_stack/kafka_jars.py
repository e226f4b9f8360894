"""Kafka's jars: named by coordinate and checksum in `kafka.lock`, fetched once per user, verified before use."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import requests
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from firebreak_cli.local_stack.errors import ChecksumError, LocalStackError, RegistryUnreachableError

DOWNLOADS_AT_ONCE = 8  # 46 jars take 7 s so; the registry's limits are not felt
SHA256_DIGITS = 64  # hexadecimal
DOWNLOAD_TIMEOUT = 20  # seconds without a byte, per jar
JARS_FOLDER_VARIABLE = "FIREBREAK_KAFKA_JARS"

Fetch = Callable[["Jar", Path], Path]
"""Puts a jar somewhere below the given folder and returns its path."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinate(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def parse_lock(text: str) -> list[Jar]:
    """Read `group:artifact:version sha256` lines; `#` starts a comment."""
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match line.replace(":", " ").split():
            case [group, artifact, version, sha256] if len(sha256) == SHA256_DIGITS:
                jars.append(Jar(group, artifact, version, sha256))
            case _:
                raise LocalStackError(f"kafka.lock line {number} is not 'group:artifact:version sha256': {line}")
    return jars


def committed_lock() -> list[Jar]:
    """Return the lock that this package ships."""
    return parse_lock(files("firebreak_cli.local_stack").joinpath("kafka.lock").read_text(encoding="utf-8"))


def user_cache(environment: Mapping[str, str]) -> Path:
    """Return this user's cache folder for Firebreak (XDG Base Directory Specification)."""
    base = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "firebreak"


def kafka_jars(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return verified jars, from the folder the user names or from the cache, which is filled when needed."""
    lock = committed_lock()
    if folder := environment.get(JARS_FOLDER_VARIABLE):
        return jars_in_folder(lock, Path(folder))
    return cached_jars(lock, user_cache(environment) / "kafka-jars", download)


def jars_in_folder(lock: Sequence[Jar], folder: Path) -> list[Path]:
    """Take the jars from a folder a person filled, for instance on a machine without access to a registry."""
    missing = [jar for jar in lock if not (folder / jar.file_name).is_file()]
    if missing:
        raise LocalStackError(
            f"{folder} ({JARS_FOLDER_VARIABLE}) lacks {len(missing)} of {len(lock)} jars, first "
            f"{missing[0].file_name} ({missing[0].coordinate})."
        )
    for jar in lock:
        verify(jar, folder / jar.file_name)
    return [folder / jar.file_name for jar in lock]


def cached_jars(lock: Sequence[Jar], cache: Path, fetch: Fetch) -> list[Path]:
    """Return the cached jars; those missing or damaged are fetched first."""
    missing = [jar for jar in lock if not _is_intact(jar, cache / jar.file_name)]
    if missing:
        cache.mkdir(parents=True, exist_ok=True)
        _fetch_all(missing, cache, fetch)
    return [cache / jar.file_name for jar in lock]


def verify(jar: Jar, path: Path) -> None:
    """Raise `ChecksumError` unless the file is the one that the lock names."""
    actual = _sha256(path)
    if actual != jar.sha256:
        raise ChecksumError(
            f"{path} is not the {jar.coordinate} that kafka.lock names: SHA-256 is {actual}, expected {jar.sha256}. "
            "Nothing was started. Delete the file and try again; if it happens again, the source cannot be trusted."
        )


def download(jar: Jar, folder: Path) -> Path:
    """Fetch one jar from the Maven repository that jgo has built in."""
    context = MavenContext(repo_cache=folder, timeout=DOWNLOAD_TIMEOUT)
    try:
        path: Path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (requests.RequestException, RuntimeError) as error:  # jgo says "not found" with a RuntimeError
        raise RegistryUnreachableError(unreachable_message(jar, error)) from error
    return path


def unreachable_message(jar: Jar, error: Exception) -> str:
    """Say what could not be fetched and how to run without the registry."""
    return (
        f"Cannot fetch {jar.coordinate} for the embedded Kafka ({type(error).__name__}). Check the network or proxy "
        f"settings and try again; or put the jars of kafka.lock in a folder and name it in {JARS_FOLDER_VARIABLE}; "
        "or use a Kafka that runs already with FIREBREAK_KAFKA=host:port."
    )


def _fetch_all(missing: Sequence[Jar], cache: Path, fetch: Fetch) -> None:
    """Fetch side by side into a staging folder; a file enters the cache only whole and verified."""
    columns = (TextColumn("Fetching Kafka (once per user)"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(dir=cache, prefix="staging-") as staging,
        ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as threads,
        Progress(*columns, console=Console(stderr=True)) as progress,  # output is for results,
    ):
        task = progress.add_task("jars", total=len(missing))
        downloads = {threads.submit(fetch, jar, Path(staging)): jar for jar in missing}
        try:
            for done in as_completed(downloads):
                jar = downloads[done]
                verify(jar, done.result())
                shutil.move(done.result(), cache / jar.file_name)
                progress.advance(task)
        except LocalStackError:
            threads.shutdown(cancel_futures=True)
            raise


def _is_intact(jar: Jar, path: Path) -> bool:
    return path.is_file() and _sha256(path) == jar.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
