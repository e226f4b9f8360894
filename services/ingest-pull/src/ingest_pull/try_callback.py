"""A provider's question about an address, put to the running service as the provider would."""

from http import HTTPStatus

import httpx

from ticket_intake.source_checks import Attempt, failed, passed
from ticket_intake.tencent_callback import ECHO

SECONDS = 10.0


async def ask_ourselves(client: httpx.AsyncClient, address: str, what: str) -> Attempt:
    """Send it, and see whether its answer proves that the service has the same key.

    :param address: with the query, whose parts are not secret but are good for minutes: it is not told.
    """
    base = str(httpx.URL(address).copy_with(query=None, path="/")).rstrip("/")
    try:
        answer = await client.get(address, timeout=SECONDS)
    except httpx.HTTPError as error:
        advice = f"{base} does not answer ({type(error).__name__}): is ingest-pull running, is --pull-url right?"
        return failed(what, "", advice)
    told = str(answer.status_code)
    if answer.status_code == HTTPStatus.OK and answer.content == ECHO:
        return passed(what, told)
    match answer.status_code:
        case HTTPStatus.UNAUTHORIZED:
            advice = "the running service has other tokens than this file, or its clock differs from ours by minutes"
        case HTTPStatus.NOT_FOUND:
            advice = "the running service does not know this source: it reads another file, or refused this one"
        case _:
            advice = "unexpected: see the service's /ready and its log; from outside, the proxy must pass /callbacks/"
    return failed(what, told, advice)
