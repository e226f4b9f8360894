"""`firebreak sources check` of mail hooks, against the app that they are in."""

import asyncio
import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry

from firebreak_cli.check_sources import Place, Row, check_sources
from ingest_email.check_hook import hook_attempts
from ingest_email.check_sources import CHECKER, open_trials
from ingest_email.delivery import Mailbox
from ingest_email.hooks.entries import HookEntry
from ingest_email.hooks.load_hooks import HookLoader
from ingest_email.hooks.receive_hook import MailHooks
from ingest_email.mailboxes import read_mailboxes
from ingest_email.metrics import MailMetrics
from tests.support.partners.amazon_ses import TOPIC
from tests.support.partners.sendgrid import SendGridSender
from ticket_intake.source_checks import Asked, Attempt, Outcome, SourcesFile
from ticket_intake.source_file import SourcesInvalid

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
URL = "http://127.0.0.1:9"
BOX = {"address": "support@acme.example", "brand": "acme", "source": "mail"}
IMAP = {"host": "i.example", "user": "support", "password": {"value": "p"}}
IMAP_BOX = {**BOX, "imap": IMAP}
PATH, NEXT_PATH = "a-path-that-nobody-guesses", "the-next-path-that-nobody-guesses"
PUBLIC_KEYS = [{"value": key} for key in SendGridSender(NOW.timestamp).public_keys()]
HOOKS: dict[str, dict[str, Any]] = {
    "mailgun": {"secrets": [{"value": "signing-key"}, {"value": "next-key"}]},
    "sendgrid": {"secrets": PUBLIC_KEYS},
    "postmark": {"basic": [{"value": "postmark:secret"}, {"value": "postmark:next"}]},
    "ses": {"topics": [TOPIC]},
}
P, F, N = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_TRIED


async def nobody_gets_mail(
    raw: bytes, envelope_sender: str, mailboxes: Sequence[Mailbox], recipients: Sequence[str]
) -> None:
    raise AssertionError("a check is no mail")


def written(folder: Path, *hooks: Any, box: dict[str, Any] = BOX, more: Sequence[dict[str, Any]] = ()) -> Path:
    file = folder / "mailboxes.yaml"
    file.write_text(yaml.safe_dump({"mailboxes": [box, *more], "hooks": list(hooks)}))
    return file


async def checked(file: Path, *, send: bool) -> list[Row]:
    """What the command shows of it."""
    places = {SourcesFile.MAILBOXES: Place(file, URL)}
    return await check_sources([("ingest-email", CHECKER)], places, {}, NOW, send=send)


def app_of(file: Path, *, opened: bool = True, late: float = 0) -> MailHooks:
    """The hooks of a file as ingest-email has them, but that nothing is fetched; `late` is by how many seconds."""
    boxes = read_mailboxes(file)
    refusing = httpx.AsyncClient(transport=httpx.MockTransport(_nothing_is_fetched))
    hooks = HookLoader({}, refusing, 100_000).load(boxes.hooks).by_name
    clock = NOW + timedelta(seconds=late)
    app = MailHooks(hooks.get, boxes.find, 100_000, MailMetrics(CollectorRegistry()), lambda: clock)
    if opened:
        app.open(nobody_gets_mail)
    return app


def _nothing_is_fetched(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} is asked")


async def attempted(hook: dict[str, Any], app: MailHooks, folder: Path) -> list[Attempt]:
    asked = Asked(folder / "mailboxes.yaml", "http://edge", {}, NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return [attempt async for attempt in hook_attempts(HookEntry.model_validate(hook), client, asked)]


def hook_of(provider: str, **more: Any) -> dict[str, Any]:
    return {"name": f"from-{provider}", "provider": provider, **HOOKS[provider], **more}


@pytest.mark.parametrize(
    ("hook", "outcomes"),
    [
        (hook_of("mailgun"), [P, P, P]),
        (hook_of("mailgun", path_secrets=[{"value": PATH}], basic=[{"value": "a:b"}]), [P, P, P]),
        (hook_of("sendgrid"), [P, P, N, P]),
        (hook_of("sendgrid", secrets=[], path_secrets=[{"value": PATH}, {"value": NEXT_PATH}]), [P, P, P]),
        (hook_of("postmark"), [P, P, P]),
        (hook_of("ses"), [P, N]),
        (hook_of("ses", basic=[{"value": "sns:secret"}]), [P, N, P]),
    ],
    ids=["mailgun", "mailgun-and-more", "sendgrid", "sendgrid-by-path", "postmark", "ses", "ses-and-login"],
)
async def test_each_secret_is_proved_nothing_is_taken_and_who_has_none_is_refused(
    hook: dict[str, Any], outcomes: list[Outcome], tmp_path: Path
) -> None:
    attempts = await attempted(hook, app_of(written(tmp_path, hook)), tmp_path)
    assert [attempt.outcome for attempt in attempts] == outcomes, attempts


@pytest.mark.parametrize(
    ("hook", "other"),
    [
        (hook_of("mailgun"), {"secrets": [{"value": "signing-key"}]}),
        (hook_of("postmark"), {"basic": [{"value": "postmark:secret"}]}),
        (
            hook_of("sendgrid", path_secrets=[{"value": PATH}, {"value": NEXT_PATH}]),
            {"path_secrets": [{"value": PATH}]},
        ),
    ],
    ids=["mailgun", "postmark", "sendgrid"],
)
async def test_a_service_that_lacks_one_secret_is_found_out(
    hook: dict[str, Any], other: dict[str, Any], tmp_path: Path
) -> None:
    attempts = await attempted(hook, app_of(written(tmp_path, hook | other)), tmp_path)
    assert [attempt.outcome for attempt in attempts[:2]] == [P, F]
    assert "than this file: let it reload (SIGHUP)" in attempts[1].advice


async def test_a_service_with_other_topics_is_found_out_and_what_only_aws_can_do_is_said(tmp_path: Path) -> None:
    running = hook_of("ses", topics=["arn:aws:sns:eu-west-1:999999999999:mail"])
    topic, signature = await attempted(hook_of("ses"), app_of(written(tmp_path, running)), tmp_path)
    assert (topic.outcome, "other topics" in topic.advice) == (F, True)
    assert (signature.outcome, "only AWS can sign" in signature.advice, TOPIC in signature.advice) == (N, True, True)


async def test_a_service_that_checks_no_signature_though_the_file_has_keys_is_found_out(tmp_path: Path) -> None:
    hook = hook_of("sendgrid", path_secrets=[{"value": PATH}])
    attempts = await attempted(hook, app_of(written(tmp_path, hook | {"secrets": []})), tmp_path)
    assert "checks no signature" in attempts[0].advice


@pytest.mark.parametrize(
    ("changes", "advice"),
    [({"opened": False}, "see its /ready"), ({"late": 36_000}, "NTP")],
    ids=["starting", "clock"],
)
async def test_a_service_that_cannot_tell_says_why(changes: dict[str, Any], advice: str, tmp_path: Path) -> None:
    attempts = await attempted(hook_of("mailgun"), app_of(written(tmp_path, hook_of("mailgun")), **changes), tmp_path)
    assert attempts[0].outcome is F
    assert advice in attempts[0].advice


async def test_a_hook_that_takes_what_nobody_proved_is_called_open(tmp_path: Path) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        entry, asked = HookEntry.model_validate(hook_of("mailgun")), Asked(tmp_path, "http://edge", {}, NOW)
        *_, refusal = [attempt async for attempt in hook_attempts(entry, client, asked)]
    assert "anybody could send mail" in refusal.advice


@pytest.mark.parametrize(("url", "advice"), [(None, "--mail-url"), (URL, f"{URL} does not answer")])
async def test_a_service_that_is_away_or_has_no_address_is_told(url: str | None, advice: str, tmp_path: Path) -> None:
    file = written(tmp_path, hook_of("postmark"))
    async with open_trials(Asked(file, url, {}, NOW)) as [trial]:
        first = await anext(trial.attempts())
    assert (trial.source, first.outcome, advice in first.advice) == ("from-postmark", F, True)


@pytest.mark.parametrize(
    ("wrong", "name", "words"),
    [
        ({"name": "m", "provider": "mailgun"}, "m", "hooks.1: mailgun needs its signing key"),
        (hook_of("mailgun", secrets=["env:ABSENT"]), "from-mailgun", "hooks.1 (from-mailgun).secrets.0: the environ"),
        (hook_of("sendgrid", secrets=[{"value": "x"}]), "from-sendgrid", "(from-sendgrid).secrets: one is not a pub"),
        (hook_of("ses", buckets={"our-mail": "ours"}), "from-ses", "(from-ses).buckets: 'ours' is not a bucket"),
        (hook_of("mailgun", name="postmark"), "postmark", "hooks.1 (postmark).name: stands twice"),
        (hook_of("mailgun", name="Two Words"), "hooks.1", "hooks.1.name: "),
        ({"provider": ["a"]}, "hooks.1", "hooks.1.name: Field required"),
        ("mailgun", "hooks.1", "hooks.1: Input should be"),
    ],
)
async def test_a_wrong_hook_is_a_row_of_its_own_that_hides_no_other(
    wrong: Any, name: str, words: str, tmp_path: Path
) -> None:
    file = written(tmp_path, hook_of("postmark", name="postmark"), wrong, box=IMAP_BOX)
    found = await checked(file, send=False)
    assert sorted((each.source, each.attempt.outcome) for each in found if each.attempt.outcome is P) == [
        ("postmark", P),
        ("support@acme.example", P),
    ]
    refused = [each for each in found if each.attempt.outcome is F]
    assert {each.source for each in refused} == {name}
    assert words in refused[0].attempt.advice
    with pytest.raises(SourcesInvalid):  # the service itself takes all of a file or nothing
        HookLoader({}, httpx.AsyncClient(), 1000).load(read_mailboxes(file).hooks)


@pytest.mark.parametrize(
    ("box", "name", "words"),
    [
        ({**BOX, "imap": {"host": "i.example", "user": "u"}}, "support@acme.example", "mailboxes.0.imap: needs either"),
        ({**BOX, "brand": ""}, "support@acme.example", "mailboxes.0.brand: "),
        ({**BOX, "address": "nowhere"}, "nowhere", "mailboxes.0.address: "),
        ({**BOX, "address": "a b\x1b[2J"}, "mailboxes.0", "mailboxes.0.address: "),
        ({**BOX, "imap": IMAP, "address": "sales@acme.example"}, "mailboxes.yaml", "sales@acme.example twice"),
    ],
)
async def test_a_wrong_mailbox_hides_no_hook_and_no_folder(
    box: dict[str, Any], name: str, words: str, tmp_path: Path
) -> None:
    other = {**BOX, "address": "sales@acme.example", "imap": {**IMAP, "user": "sales"}}
    found = await checked(written(tmp_path, hook_of("postmark"), box=box, more=[other]), send=False)
    right = {each.source for each in found if each.attempt.outcome is P}
    assert right == {"from-postmark", "sales@acme.example"}
    [refused] = [each for each in found if each.attempt.outcome is F]
    assert (refused.source, words in refused.attempt.advice) == (name, True)


@pytest.mark.parametrize("text", ["mailboxes: [", "", "[]", "mailboxes: {}", "hooks: 7", "mailboxes: [{}, 7]"])
async def test_a_file_with_no_entry_that_is_right_is_refused_with_its_fix(text: str, tmp_path: Path) -> None:
    (tmp_path / "mailboxes.yaml").write_text(text)
    found = await checked(tmp_path / "mailboxes.yaml", send=True)
    assert {each.attempt.outcome for each in found} == {F}


async def test_no_row_shows_a_secret(tmp_path: Path) -> None:
    hook = hook_of("mailgun", path_secrets=[{"value": PATH}], basic=[{"value": "user:password-of-it"}])
    attempts = await attempted(hook, app_of(written(tmp_path, hook)), tmp_path)
    shown = json.dumps([(each.what, each.answer, each.advice) for each in attempts])
    hidden = (PATH, "password-of-it", "signing-key", base64.b64encode(b"user:password-of-it").decode())
    assert [secret for secret in hidden if secret in shown] == []


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server of IMAP that repeats what it does not take."""
    writer.write(b"* OK hello\r\n")
    while line := await reader.readline():
        tag, _, words = line.strip().partition(b" ")
        done = b" OK" if words == b"CAPABILITY" else b" BAD what is " + words
        writer.write(tag + done + b"\r\n")
    writer.close()


async def refused_login(folder: Path, host: str, port: int) -> Attempt:
    imap = {"host": host, "port": port, "user": "ann", "password": {"value": 'pass"word'}}
    security = "none" if host == "127.0.0.1" else "tls"
    file = folder / "mailboxes.yaml"
    file.write_text(yaml.safe_dump({"mailboxes": [{**BOX, "imap": {**imap, "security": security}}]}))
    async with open_trials(Asked(file, URL, {}, NOW)) as [trial]:
        [attempt] = [attempt async for attempt in trial.attempts()]
    return attempt


async def test_a_server_that_repeats_the_login_does_not_make_us_show_the_password(tmp_path: Path) -> None:
    async with await asyncio.start_server(_echo, "127.0.0.1", 0) as server:
        attempt = await refused_login(tmp_path, "127.0.0.1", server.sockets[0].getsockname()[1])
    assert (attempt.outcome, "left out" in attempt.answer, "word" in attempt.answer) == (F, True, False)


async def test_a_host_that_is_no_name_is_told(tmp_path: Path) -> None:
    attempt = await refused_login(tmp_path, "imap..example", 993)
    assert (attempt.outcome, "check host" in attempt.advice) == (F, True)
