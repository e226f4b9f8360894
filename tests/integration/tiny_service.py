"""The smallest whole service, as a process: `python -m tests.integration.tiny_service MODE`.

MODE is what goes wrong with it: a key of `trouble`.
"""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from starlette.types import Receive, Scope, Send

from service_kit.asgi import raw_response
from service_kit.http_server import serve
from service_kit.life_cycle import Wiring, run_service
from service_kit.log_setup import configure_logging
from service_kit.metrics import EventLoopLag, new_registry
from service_kit.probes import Probes, Readiness, with_probes
from service_kit.settings import ServiceSettings, load_settings
from service_kit.supervisor import Supervisor


async def hello(_: Scope, __: Receive, send: Send) -> None:
    await raw_response(200, "text/plain", b"hello").send(send)


@asynccontextmanager
async def client_that_never_closes() -> AsyncIterator[None]:
    yield
    await asyncio.Event().wait()


@asynccontextmanager
async def client_that_blocks_the_loop() -> AsyncIterator[None]:
    yield
    threading.Event().wait()


@asynccontextmanager
async def client_that_never_connects() -> AsyncIterator[None]:
    print("connecting", flush=True)
    await asyncio.Event().wait()
    yield


@asynccontextmanager
async def client_that_raises_a_stray_cancellation() -> AsyncIterator[None]:
    yield
    raise asyncio.CancelledError  # as aiokafka's consumer does when its broker is gone


@asynccontextmanager
async def client_with_a_bug() -> AsyncIterator[None]:
    raise RuntimeError("no such table")
    yield


async def task_that_dies(http_port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", http_port)  # only once the service runs
    writer.close()
    raise RuntimeError("the consumer lost its mind")


def wiring(mode: str) -> Wiring[ServiceSettings]:
    @asynccontextmanager
    async def parts(settings: ServiceSettings, supervisor: Supervisor) -> AsyncIterator[None]:
        registry = new_registry("service-kit")
        app = with_probes(hello, Probes(Readiness(supervisor.started), registry))
        async with (
            supervisor.running("loop lag", EventLoopLag(registry).sample_forever()),
            serve(app, settings.host, settings.port, supervisor=supervisor) as address,
            trouble(mode, supervisor, address.port),
        ):
            yield

    return parts


def trouble(mode: str, supervisor: Supervisor, port: int) -> AbstractAsyncContextManager[object]:
    if mode == "failing-task":
        return supervisor.running("consumer", task_that_dies(port))
    troubles: dict[str, Callable[[], AbstractAsyncContextManager[object]]] = {
        "sound": nullcontext,
        "hung-stop": client_that_never_closes,
        "blocked-stop": client_that_blocks_the_loop,
        "stray-cancellation": client_that_raises_a_stray_cancellation,
        "failing-start": client_with_a_bug,
        "endless-start": client_that_never_connects,
    }
    return troubles[mode]()


def main() -> None:
    settings = load_settings(ServiceSettings)
    configure_logging("tiny-service", settings.log_level, settings.log_format)
    run_service("tiny-service", settings, wiring(sys.argv[1]))


if __name__ == "__main__":
    main()
