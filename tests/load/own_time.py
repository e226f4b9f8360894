"""Where the time goes: py-spy samples the services from outside and names the functions by their own time."""

import asyncio
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

SAMPLES_PER_SECOND = 200
SHOWN = 25
# Kafka and PostgreSQL are no Python.
PROFILED = ("ingest-webhook", "ingest-email", "router", "sla-engine", "crm-api")

_FRAME = re.compile(r"(?P<function>.+) \((?P<place>[^()]+):\d+\)")


class Profiles:
    """Own time by function, by service."""

    def __init__(self) -> None:
        """:raises FileNotFoundError: there is no py-spy."""
        search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
        found = shutil.which("py-spy", path=search)
        if found is None:
            raise FileNotFoundError("--profile needs py-spy: `uv pip install py-spy`")
        self._py_spy = found
        self.by_service: dict[str, Counter[str]] = {}

    async def record(self, pids: Mapping[str, int], seconds: float) -> None:
        """Sample all services for so long."""
        with TemporaryDirectory() as folder:
            wanted = {name: pid for name, pid in pids.items() if name in PROFILED}
            await asyncio.gather(*(self._sample(pid, seconds, Path(folder) / name) for name, pid in wanted.items()))
            for name in wanted:
                self.by_service.setdefault(name, Counter()).update(own_time(_read(Path(folder) / name)))

    async def _sample(self, pid: int, seconds: float, target: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            self._py_spy,
            *("record", "--pid", str(pid), "--duration", str(int(seconds)), "--rate", str(SAMPLES_PER_SECOND)),
            *("--format", "raw", "--output", str(target), "--nonblocking"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await process.wait()

    def show(self, console: Console) -> None:
        for service, own in self.by_service.items():
            if not own.total():
                continue
            table = Table(title=f"{service}: own time by function")
            table.add_column("share", justify="right")
            table.add_column("function")
            for function, samples in own.most_common(SHOWN):
                table.add_row(f"{samples / own.total():.1%}", function)
            console.print(table)


def _read(file: Path) -> str:
    """Empty when py-spy wrote nothing: it may not look into processes here (ptrace), or saw none of them at work."""
    return file.read_text(encoding="utf-8") if file.exists() else ""


def own_time(folded: str) -> Counter[str]:
    """Read py-spy's raw format: frames from the outermost to the innermost, separated by `;`, and a count."""
    own: Counter[str] = Counter()
    for line in folded.splitlines():
        stack, _, samples = line.rpartition(" ")
        frame = _FRAME.fullmatch(stack.rpartition(";")[2])
        if frame is not None:
            own[f"{frame['function']} ({'/'.join(frame['place'].split('/')[-2:])})"] += int(samples)
    return own
