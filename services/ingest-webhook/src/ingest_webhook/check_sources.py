"""Whether every configured source works: a request that its sender could have signed is sent, and one that nobody did.

None of them is a customer's message, so no ticket comes of it. What is proved is the way from the address to the
secrets: the running endpoint knows the source, reads the same secrets as this file, and refuses everybody else.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from http import HTTPStatus

import httpx

from ingest_webhook.rejections import Outcome
from ingest_webhook.samples.registry import SAMPLES, TOKEN_SAMPLES
from ingest_webhook.samples.sample import Sample
from ingest_webhook.sources import ConfiguredSource, read_configured
from ticket_intake.source_checks import (
    PAST_PROXIES,
    Asked,
    Attempt,
    Checker,
    SourcesFile,
    Trial,
    failed,
    not_tried,
    passed,
)

SECONDS = 10.0
"""Longer than the service itself waits for anything."""

_REFUSED = f"/problems/{Outcome.BAD_SIGNATURE}"
_UNREADABLE = f"/problems/{Outcome.UNDECODABLE}"


@asynccontextmanager
async def open_trials(asked: Asked) -> AsyncIterator[Sequence[Trial]]:
    """Every source of the file.

    :raises SourcesInvalid:
    """
    sources = read_configured(asked.file, asked.environment)
    async with httpx.AsyncClient(base_url=asked.url or "", timeout=SECONDS, mounts=PAST_PROXIES) as client:
        reached = client if asked.url else None
        yield [Trial(source.name, source.provider, partial(attempts, source, reached, asked.now)) for source in sources]


async def attempts(source: ConfiguredSource, client: httpx.AsyncClient | None, now: datetime) -> AsyncIterator[Attempt]:
    """Try each token and each secret of a source in turn, then that the source refuses what is not signed.

    :param client: its base URL is that of ingest-webhook; None: nobody knows where that is.
    """
    if client is None:
        yield failed("nothing sent", "", "name the address of ingest-webhook: --url")
        return
    for number, token in enumerate(source.tokens):
        question = TOKEN_SAMPLES[source.provider](source, token, now)
        yield await _try(client, source, question, f"tokens.{number}: {question.what}")
    first: Sample | None = None
    for number, secret in enumerate(source.secrets):
        name = f"secrets.{number}"
        try:
            sample = SAMPLES[source.provider](source, secret, now)
        except ValueError as error:  # a secret that only checks, such as a public key
            yield not_tried(f"{name}: nothing sent, it {error}", "let the sender send something")
            continue
        first = first or sample
        yield await _try(client, source, sample, f"{name}: {sample.what}")
    if first is not None:
        yield await _try_refusal(client, source, first.without_proof())


async def _try(client: httpx.AsyncClient, source: ConfiguredSource, sample: Sample, what: str) -> Attempt:
    answer = await _send(client, source, sample)
    if isinstance(answer, str):
        return failed(what, "", answer)
    return _judged(what, answer, _advice(source, answer))


async def _try_refusal(client: httpx.AsyncClient, source: ConfiguredSource, sample: Sample) -> Attempt:
    answer = await _send(client, source, sample)
    if isinstance(answer, str):
        return failed(sample.what, "", answer)
    match answer.status_code:
        case HTTPStatus.UNAUTHORIZED:
            advice = ""
        case HTTPStatus.NOT_FOUND | HTTPStatus.SERVICE_UNAVAILABLE:  # it never came as far as the proof
            advice = _advice(source, answer)
        case _:
            advice = "anybody could write to this source: report this as a bug"
    return _judged(sample.what, answer, advice)


def _judged(what: str, answer: httpx.Response, advice: str) -> Attempt:
    told = str(answer.status_code)
    return failed(what, told, advice) if advice else passed(what, told)


async def _send(client: httpx.AsyncClient, source: ConfiguredSource, sample: Sample) -> httpx.Response | str:
    url = f"/webhooks/{source.name}" + (f"?{sample.query}" if sample.query else "")
    headers = [(name.encode(), value.encode()) for name, value in sample.headers.items()]
    try:
        return await client.request(sample.method, url, headers=headers, content=sample.body)
    except httpx.HTTPError as error:
        return f"{client.base_url} does not answer ({type(error).__name__}): is ingest-webhook running, is --url right?"


def _advice(source: ConfiguredSource, answer: httpx.Response) -> str:
    """Say what to do next; nothing when the answer is the right one."""
    if answer.status_code == HTTPStatus.OK:
        return ""
    problem = _problem_type(answer)
    if problem == _UNREADABLE and source.provider == "hmac":
        return ""  # the signature was right, and an empty document holds no message
    match answer.status_code:
        case HTTPStatus.UNAUTHORIZED if problem == _REFUSED:
            return "the running service has other secrets than this file: let it reload (SIGHUP) or restart it"
        case HTTPStatus.UNAUTHORIZED:
            return "its clock and ours differ by minutes: set both by NTP"
        case HTTPStatus.NOT_FOUND:
            return "the running service does not know this source: it reads another file, or refused this one"
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return "the service is not ready: see its /ready"
    return f"unexpected: {problem or answer.text[:200]}"


def _problem_type(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        return ""
    return str(document.get("type", "")) if isinstance(document, dict) else ""


CHECKER = Checker(SourcesFile.WEBHOOKS, open_trials)
