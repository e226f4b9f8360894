"""A real PostgreSQL server as a child process, reached over TCP on the loopback interface with a password."""

import asyncio
import os
import secrets
import shutil
import signal
from pathlib import Path

import asyncpg

from firebreak_cli.local_stack.child_process import Command, start_child
from firebreak_cli.local_stack.errors import ServerFailedError
from firebreak_cli.local_stack.ports import LOOPBACK
from firebreak_cli.local_stack.postgres_account import (
    make_private,
    reachable_home,
    reachable_programs,
    server_account,
)
from firebreak_cli.local_stack.server_process import START_TIMEOUT, ServerProcess

USER = "firebreak"
DATABASE = "firebreak"
STOP_TIMEOUT = 15.0  # seconds; a fast stop writes a checkpoint
ASK_TIMEOUT = 5.0  # seconds for one question to a starting server

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket path is limited to 107 bytes, and nobody needs it
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",  # fewer checkpoints under load
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",  # short statements: compiling costs more than it gives
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
}


class PostgresServer(ServerProcess):
    """One PostgreSQL cluster with its data below `home`, or where `reachable_home` puts it for root."""

    def __init__(self, home: Path, log_file: Path, port: int) -> None:
        super().__init__("postgres", port, log_file, signal.SIGINT, STOP_TIMEOUT)  # SIGINT is its "fast" stop
        self._account = server_account()
        self._programs = reachable_programs(self._account) / "bin"
        self._home = reachable_home(home, self._account)
        self._data = self._home / "data"

    @property
    def home(self) -> Path:
        """Where the data really is."""
        return self._home

    @property
    def url(self) -> str:
        """Superuser's URL of the default database; known after the first start."""
        return self.database_url(DATABASE)

    def database_url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password()}@{LOOPBACK}:{self.port}/{database}"

    async def prepare(self) -> None:
        make_private(self._home, self._account)
        if not (self._data / "PG_VERSION").exists():
            await self._initialise()

    def command(self) -> Command:
        settings = [argument for name, value in SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        return self._as_account(
            [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *settings]
        )

    async def answers(self) -> bool:
        return await postgres_answers(self.database_url("postgres"))

    async def become_ready(self) -> None:
        """Return once it answers and the default database exists."""
        await super().become_ready()
        connection = await asyncpg.connect(self.database_url("postgres"), timeout=ASK_TIMEOUT)
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close()

    def _password(self) -> str:
        return (self._home / "password").read_text(encoding="ascii")

    async def _initialise(self) -> None:
        """Make the cluster, with a password of its own. An attempt that was cut off is done again from the start."""
        if not (self._home / "password").exists():
            self._write_private("password", secrets.token_urlsafe(24))
        half_made = self._home / "data.new"
        arguments = [
            str(self._programs / "initdb"),
            f"--pgdata={half_made}",
            f"--username={USER}",
            f"--pwfile={self._home / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The same order of text on every machine, whatever languages it has installed.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
        ]
        if half_made.exists():
            await asyncio.to_thread(shutil.rmtree, half_made)
        await self._run(self._as_account(arguments))
        half_made.rename(self._data)

    async def _run(self, command: Command) -> None:
        process = await start_child(command)
        try:
            exit_code = await asyncio.wait_for(process.wait(), START_TIMEOUT)
        except BaseException:
            await process.kill()
            raise
        if exit_code != 0:
            raise ServerFailedError(f"{command.arguments[0]} failed. {process.log_end()}")

    def _write_private(self, name: str, text: str) -> None:
        path = self._home / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
        if self._account is not None:
            os.chown(path, self._account.uid, self._account.gid)

    def _as_account(self, arguments: list[str]) -> Command:
        return Command(
            arguments=arguments,
            log_file=self.log_file,
            working_directory=self._home,
            uid=self._account.uid if self._account else None,
            gid=self._account.gid if self._account else None,
            death_signal=signal.SIGINT,
        )


async def postgres_answers(url: str) -> bool:
    """Ask for one row; a server that starts or recovers refuses or says so."""
    try:
        connection = await asyncpg.connect(url, timeout=ASK_TIMEOUT)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
        return False
    try:
        return bool(await connection.fetchval("SELECT true"))
    finally:
        await connection.close()
