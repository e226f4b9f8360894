"""A Dovecot of a test's own, in a folder: users with passwords or tokens, mail put in as files, restarts."""

import asyncio
import grp
import os
import pwd
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil

from firebreak_cli.local_stack.ports import free_ports
from tests.support.debian_packages import need
from tests.support.kept_part import wait_until

HOST = "127.0.0.1"
PASSWORD = "correct horse"
START_SECONDS = 30.0

# One process for each service, as one system user, with nothing of the machine's own Dovecot. Nobody who fails
# to log in is made to wait.
_CONFIGURATION = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
verbose_proctitle = yes
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_max_userip_connections = 100
auth_mechanisms = plain login xoauth2
{tokens}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


_TOKENS = """
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
"""


@dataclass
class Dovecot:
    """A running server. Mail is put in as a delivery agent does, so that idle clients hear of it."""

    folder: Path
    port: int
    tls_port: int
    program: str
    process: asyncio.subprocess.Process | None = None
    _numbers: "count[int]" = field(default_factory=count)

    def deliver(self, user: str, raw: bytes) -> None:
        """Put a mail into a user's INBOX."""
        box = self.folder / "mail" / user
        parts = [box / part for part in ("cur", "new", "tmp")]
        for part in parts:
            part.mkdir(parents=True, exist_ok=True)
        name = f"1700000000.M{next(self._numbers):06}P1.test"
        written = box / "tmp" / name
        written.write_bytes(raw)
        self._give_to_dovecot(box, *parts, written)
        written.rename(box / "new" / name)

    def renumber(self, user: str) -> None:
        """Let every mail have another UID: what a restored or rebuilt mailbox looks like."""
        box = self.folder / "mail" / user
        for file in box.glob("dovecot*"):
            file.unlink()
        old = next(self._numbers)
        (box / "dovecot-uidlist").write_text(f"3 V{1_900_000_000 + old} N5000 G{'0' * 31}{old % 10}\n")
        self._give_to_dovecot(box / "dovecot-uidlist")

    def lock_away(self, user: str, words: str) -> None:
        """Take the one mail that has these words from the server: it is listed, and cannot be had."""
        box = self.folder / "mail" / user
        [found] = [
            file for part in ("cur", "new") for file in (box / part).iterdir() if words.encode() in file.read_bytes()
        ]
        found.chmod(0)

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            self.program, "-F", "-c", str(self.folder / "dovecot.conf"), stderr=asyncio.subprocess.DEVNULL
        )
        await wait_until(self._answers, START_SECONDS, f"Dovecot answers; see {self.folder}/log")

    async def stop(self) -> None:
        """In order; clients are told good-bye."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            await self.process.wait()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def idles(self, user: str) -> bool:
        """Whether a client of this user waits in IDLE, as the server's processes say of themselves."""
        assert self.process is not None
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it may end between the two calls
                words = " ".join(child.cmdline())
                if user in words and "IDLE" in words:
                    return True
        return False

    async def _answers(self) -> bool:
        assert self.process is not None
        if self.process.returncode is not None:
            raise RuntimeError(f"Dovecot ended: {(self.folder / 'log').read_text()[-500:]}")
        try:
            reader, writer = await asyncio.open_connection(HOST, self.port)
        except OSError:
            return False
        greeting = await reader.readline()
        writer.close()
        return greeting.startswith(b"* OK")

    def _give_to_dovecot(self, *paths: Path) -> None:
        if os.geteuid() == 0:
            for path in paths:
                shutil.chown(path, _user())


@asynccontextmanager
async def running_dovecot(
    folder: Path, users: list[str], certificate: tuple[Path, Path], token_server: str = ""
) -> AsyncIterator[Dovecot]:
    """Run one while the block lasts.

    :param folder: not below a folder that only we may enter.
    :param token_server: the URL, but for the token at its end, that tells whose token one is; without it no XOAUTH2.
    """
    program = need("dovecot", "dovecot-imapd")
    port, tls_port = free_ports(2)
    certificate_file, key_file = certificate
    account = pwd.getpwnam(_user())
    for name in ("run", "state", "mail"):
        (folder / name).mkdir()
    configuration = _CONFIGURATION.format(
        folder=folder,
        certificate=certificate_file,
        key=key_file,
        tokens=_TOKENS.format(folder=folder) if token_server else "",
        user=account.pw_name,
        group=grp.getgrgid(account.pw_gid).gr_name,
        port=port,
        tls_port=tls_port,
    )
    (folder / "dovecot.conf").write_text(configuration)
    (folder / "oauth2.conf").write_text(f"tokeninfo_url = {token_server}\nusername_attribute = user\n")
    (folder / "users").write_text("".join(f"{user}:{PASSWORD}\n" for user in users))
    server = Dovecot(folder, port, tls_port, program)
    if os.geteuid() == 0:
        shutil.chown(folder / "mail", _user())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _user() -> str:
    """The user that Dovecot runs as: its own where we are root, else we."""
    return "dovecot" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
