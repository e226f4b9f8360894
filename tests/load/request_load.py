"""A load generator process that delivers what partners have signed: requests of every provider, or mails over HTTP."""

from collections.abc import Iterator

from tests.load.hook_requests import hook_requests
from tests.load.http_load import with_senders
from tests.load.steered_load import SteeredLoad, run_steered
from tests.load.strangers import requests_of_all
from tests.support.partners.signed_request import SignedRequest

MESSAGES_OF_ONE = 2  # half of them come from somebody who is known


def on_the_wire(host: str, path: str, requests: Iterator[SignedRequest]) -> Iterator[bytes]:
    """Each request as HTTP/1.1 on a connection that is kept."""
    for request in requests:
        target = f"{path}?{request.query}" if request.query else path
        lines = [
            f"{request.method} {target} HTTP/1.1",
            f"host: {host}",
            f"content-length: {len(request.body)}",
            *(f"{name}: {value}" for name, value in request.headers.items()),
        ]
        yield "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + request.body


async def prepare(options: dict[str, str]) -> SteeredLoad[bytes]:
    """Connect all senders; `path` has the provider's name in the place of `{name}`."""
    host, port = options["host"], int(options["port"])
    found = hook_requests(options["hooks"]) if options.get("hooks") else requests_of_all(MESSAGES_OF_ONE)
    choices = {
        name: on_the_wire(f"{host}:{port}", options["path"].format(name=name), requests)
        for name, requests in found.items()
    }
    return await with_senders(SteeredLoad(iter(()), choices), options)


if __name__ == "__main__":
    run_steered(prepare)
