"""uvicorn inside a loop and a life cycle that are ours: it starts no loop, takes no signals and logs no requests."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import structlog
import uvicorn
from starlette.types import ASGIApp

from service_kit.request_head import HEAD_BYTES, limited_protocol
from service_kit.start_error import StartError
from service_kit.supervisor import Supervisor

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class HttpLimits:
    """The defaults suit a service behind a proxy, which also has to be what ends clients that send slowly."""

    head_bytes: int = HEAD_BYTES
    # Connections or requests at once; above it 503. None, because back-pressure belongs to the app, which knows why.
    concurrency: int | None = None
    # Longer than the 60 s after which common proxies drop an idle connection: the side that closes first must not be
    # ours, or requests get lost in between.
    keep_alive_seconds: int = 75
    # Connections that wait for the loop to accept them; the kernel lowers it to net.core.somaxconn.
    backlog: int = 2048
    # What running requests get at the stop before they are cancelled. Below the default of `stop_seconds`.
    stop_seconds: int = 5


class ListeningAddress(NamedTuple):
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


@asynccontextmanager
async def serve(
    app: ASGIApp, host: str, port: int, *, supervisor: Supervisor, limits: HttpLimits | None = None
) -> AsyncIterator[ListeningAddress]:
    """Serve `app` while the block lasts; port 0 takes a free one. Listens when the block is entered.

    Raises StartError when the address cannot be had. The app's own lifespan is not run: wiring starts the parts.
    """
    limits = limits or HttpLimits()
    listener = await _listen(host, port, limits.backlog)
    address = ListeningAddress(*listener.getsockname()[:2])
    server = _Server(_config(app, limits))
    async with supervisor.running("http server", server.serve(sockets=[listener]), stop=server.request_exit) as task:
        await _until_listening(server, task)
        log.info("listening", url=address.url)
        yield address


class _Server(uvicorn.Server):
    """uvicorn's server, made to tell when it listens and to leave the signals to the life cycle."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    def request_exit(self) -> None:
        self.should_exit = True


async def _until_listening(server: _Server, task: asyncio.Task[object]) -> None:
    listening = asyncio.create_task(server.listening.wait(), name="wait for http server")
    try:
        await asyncio.wait({listening, task}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        listening.cancel()
    if task.done():
        await task  # raises what ended it


def _config(app: ASGIApp, limits: HttpLimits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=limited_protocol(limits.head_bytes),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,  # `configure_logging` has routed its loggers
        access_log=False,  # a line per request costs more than the request; metrics count them
        server_header=False,
        proxy_headers=False,  # nothing here decides by a client's address, so no header may pretend one
        limit_concurrency=limits.concurrency,
        timeout_keep_alive=limits.keep_alive_seconds,
        timeout_graceful_shutdown=limits.stop_seconds,
        reset_contextvars=True,  # a request must not inherit the trace of whatever opened the listener
    )


async def _listen(host: str, port: int, backlog: int) -> socket.socket:
    """Bound here and not by uvicorn, which would end the process by itself when the port is taken."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listener = socket.create_server(address, family=family, backlog=backlog)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    listener.setblocking(False)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> StartError:
    if error.errno == errno.EADDRINUSE:
        return StartError(
            f"port {port} on {host} is taken by another process",
            fix=f"set FIREBREAK_PORT to a free port, or end the process that `ss -ltnp 'sport = :{port}'` shows",
        )
    return StartError(
        f"cannot listen on {host} port {port}: {error.strerror}",
        fix="set FIREBREAK_HOST to an address of this machine and FIREBREAK_PORT to a port this user may open",
    )
