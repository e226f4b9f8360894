"""A Postfix of a test's own, in a folder: takes mail by SMTP and delivers it to us by LMTP, queueing what we refuse."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from firebreak_cli.local_stack.ports import free_ports
from tests.support.debian_packages import need
from tests.support.kept_part import wait_until

HOST = "127.0.0.1"
START_SECONDS = 30.0

# Everything that a machine's own Postfix has is ours.
_MAIN = """
compatibility_level = 3.6
config_directory = {folder}
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log/maillog
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.acme.example
mydestination =
local_recipient_maps =
relay_domains = acme.example
relay_transport = lmtp:inet:{host}:{lmtp_port}
smtpd_relay_restrictions = permit_mynetworks, reject
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
disable_dns_lookups = yes
lmtp_destination_concurrency_failed_cohort_limit = 0
"""
_MASTER = """
{smtp_port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@asynccontextmanager
async def running_postfix(folder: Path, lmtp_port: int) -> AsyncIterator[int]:
    """Run it while the block lasts, and give its SMTP port.

    :param folder: not below a folder that only we may enter: Postfix's own user reads there.
    """
    postfix = need("postfix", "postfix")
    [smtp_port] = free_ports(1)
    for name in ("queue", "data", "log"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "main.cf").write_text(_MAIN.format(folder=folder, host=HOST, lmtp_port=lmtp_port))
    (folder / "master.cf").write_text(_MASTER.format(smtp_port=smtp_port))
    await asyncio.to_thread(_command, postfix, folder, "start")
    try:
        await wait_until(lambda: _answers(smtp_port), START_SECONDS, f"Postfix answers; see {folder}/log")
        yield smtp_port
    finally:
        await asyncio.to_thread(_command, postfix, folder, "abort")


async def flush(folder: Path) -> None:
    """Let it try all that it has queued now; of its own accord it may take its time."""
    await asyncio.to_thread(_command, need("postfix", "postfix"), folder, "flush")


def _command(postfix: str, folder: Path, command: str) -> None:
    done = subprocess.run([postfix, "-c", str(folder), command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"postfix {command}: {done.stderr}")


async def _answers(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    greeting = await reader.readline()
    writer.close()
    return greeting.startswith(b"220")
