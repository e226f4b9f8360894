"""Whether a hook works: a request with each of its secrets is sent to the running service, and one with none.

None of them is a customer's mail. A provider's own private key is never here: where only it can sign (SNS, SendGrid's
security policies), the row says so, and what can be proved without it is.
"""

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import TypeAlias

import httpx

from ingest_email.hooks.entries import HookEntry
from ingest_email.hooks.provider import SIGNATURE_WRONG
from ingest_email.hooks.receive_hook import NO_MAILBOX, PREFIX
from ingest_email.hooks.samples import HookSample, each_secret, mail_sample, topic_sample, without_proof
from ingest_email.hooks.sns import NOT_AWS, OTHER_TOPIC
from ingest_email.secret_references import resolved
from ticket_intake.source_checks import Asked, Attempt, failed, not_tried, passed

_ONLY_AWS = "only AWS can sign: `aws sns publish --topic-arn {topic} --message firebreak-check`; {counted}"
_ONLY_SENDGRID = "only SendGrid can sign, the file has its public keys: send a mail to the address; {counted}"
_COUNTED = 'firebreak_mail_hooks_total{{hook="{hook}",status="200"}} then counts one more'

Judge: TypeAlias = Callable[[httpx.Response], str]
"""From an answer to what to do next; empty when it is the right one."""


async def hook_attempts(entry: HookEntry, client: httpx.AsyncClient, asked: Asked) -> AsyncIterator[Attempt]:
    """Try each secret of a hook, then that it refuses who has none."""
    if asked.url is None:
        yield failed("nothing sent", "", "name the HTTP address of ingest-email: --mail-url")
        return
    mail, counted = f"{asked.url}{PREFIX}", _COUNTED.format(hook=entry.name)
    signing, basic, path = (
        [resolved(reference, asked.environment) for reference in references]
        for references in (entry.secrets, entry.basic, entry.path_secrets)
    )
    for own in each_secret(signing, basic, path):
        if entry.provider == "ses":
            for topic in entry.topics:
                yield await _try(client, mail, topic_sample(entry, own, topic, asked.now), _of_topic)
        else:
            judge = _of_unsigned if entry.provider == "sendgrid" and signing else _of_mail
            yield await _try(client, mail, mail_sample(entry, own, asked.now), judge)
    if entry.provider == "ses":
        for topic in entry.topics:
            yield not_tried("AWS's signature", _ONLY_AWS.format(topic=topic, counted=counted))
    elif entry.provider == "sendgrid" and signing:
        yield not_tried("SendGrid's signature", _ONLY_SENDGRID.format(counted=counted))
    if entry.provider != "ses" or basic or path:
        yield await _try(client, mail, without_proof(entry), _of_refusal)


async def _try(client: httpx.AsyncClient, mail: str, sample: HookSample, judge: Judge) -> Attempt:
    try:
        answer = await client.post(mail + sample.address, headers=sample.headers, content=sample.body)
    except httpx.HTTPError as error:
        address = mail.removesuffix(PREFIX)
        advice = f"{address} does not answer ({type(error).__name__}): is ingest-email running, is --mail-url right?"
        return failed(sample.what, "", advice)
    words = answer.text.strip()
    is_a_hooks = answer.headers.get("content-type", "").startswith("text/plain") and len(words) <= _LONGEST_WORDS
    told = f"{answer.status_code} {words}" if is_a_hooks else str(answer.status_code)
    advice = judge(answer)
    return failed(sample.what, told, advice) if advice else passed(sample.what, told)


_LONGEST_WORDS = 100  # of a hook; a page of a proxy has more


def _of_mail(answer: httpx.Response) -> str:
    """It must be believed, and have nowhere to go."""
    return "" if _says(answer, NO_MAILBOX) else _advice(answer)


def _of_topic(answer: httpx.Response) -> str:
    """Its topic must be one of the hook's, and its certificate nobody's of AWS."""
    return "" if _says(answer, NOT_AWS) else _advice(answer)


def _of_unsigned(answer: httpx.Response) -> str:
    """Nothing but the signature may be missing."""
    if _says(answer, NO_MAILBOX):
        return "the running service checks no signature: it reads another file, or refused this one"
    return "" if _says(answer, SIGNATURE_WRONG) else _advice(answer)


def _of_refusal(answer: httpx.Response) -> str:
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return _advice(answer)
    if answer.is_client_error and not _says(answer, NO_MAILBOX):
        return ""
    return "anybody could send mail here: report this as a bug"


def _says(answer: httpx.Response, words: str) -> bool:
    return answer.is_client_error and answer.text.strip() == words


def _advice(answer: httpx.Response) -> str:
    match answer.status_code:
        case HTTPStatus.UNAUTHORIZED if "clock" in answer.text:
            return "its clock and ours differ: set both by NTP"
        case HTTPStatus.UNAUTHORIZED if _says(answer, OTHER_TOPIC):
            return "the running service has other topics than this file: let it reload (SIGHUP) or restart it"
        case HTTPStatus.UNAUTHORIZED:
            return "the running service has other secrets than this file: let it reload (SIGHUP) or restart it"
        case HTTPStatus.NOT_FOUND:
            return (
                "the running service has no such hook, or another path secret than this file: let it reload (SIGHUP), "
                "see its log when it refuses the file; from outside, the proxy must pass /mail/"
            )
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return "the service is not ready: see its /ready and its log"
    return "unexpected: see the service's log, `mail hook refused`"
