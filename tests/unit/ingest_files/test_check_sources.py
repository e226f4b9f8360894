"""`firebreak sources check` of `files`: each token says whose it is, and no file is fetched."""

from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from ingest_files.check_sources import PULL_CHECKER, attempts, open_trials
from ingest_files.file_sources import FileSource
from ingest_files.guarded_http import GuardedClient
from ingest_files.schemes.scheme import Access
from tests.support.partners.call_recordings import SwitchRecordings
from tests.unit.ingest_files.wire import Handler, Wire
from ticket_intake.source_checks import GROUP, Asked, Attempt, Outcome, SourcesFile
from ticket_intake.source_file import SourcesInvalid

P, F, N = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_TRIED
GOOD = {
    "slack": "xoxb-good",
    "telegram": "123:good",
    "whatsapp": "good",
    "line": "good",
    "twilio-sms": "AC0123:good",
}


async def _anywhere(host: str, port: int) -> list[str]:
    return ["93.184.215.14"]


def _of_the_token(request: httpx.Request) -> httpx.Response:
    """Any of the providers: what has `good` in its proof is known, and Slack says 200 to both."""
    proofs = (request.url.path, request.headers.get("authorization", ""))
    known = any("good" in proof for proof in proofs) or request.headers.get("authorization") == "Basic QUMwMTIzOmdvb2Q="
    if request.headers["host"] == "slack.com":
        return httpx.Response(200, json={"ok": known, "error": "invalid_auth"})
    return httpx.Response(200 if known else 401, json={})


async def tried(
    provider: str, *tokens: str, handler: Handler = _of_the_token, api: str = "", app_id: str = ""
) -> list[Attempt]:
    source = FileSource(provider, Access(tokens or ("",), api, app_id))
    client = GuardedClient(httpx.AsyncClient(transport=Wire(handler)), 10_000, _anywhere)
    return [attempt async for attempt in attempts(source, client)]


@pytest.mark.parametrize("provider", GOOD)
async def test_each_token_is_asked_and_one_that_nobody_knows_is_found_out(provider: str) -> None:
    wrong = GOOD[provider].replace("good", "bad")
    good, bad = await tried(provider, GOOD[provider], wrong)
    assert (good.outcome, bad.outcome) == (P, F)
    assert "bad" not in f"{bad.answer}{bad.advice}"


async def test_what_cannot_be_asked_is_said_and_not_claimed() -> None:
    assert [each.outcome for each in await tried("messenger")] == [N]
    assert [each.outcome for each in await tried("twilio-sms", "SK0123:good")] == [N]


@pytest.mark.parametrize(
    ("provider", "given", "refused"),
    [
        (
            "feishu",
            {"code": 0, "tenant_access_token": "t-1", "expire": 7200},
            {"code": 10014, "msg": "app secret invalid"},
        ),
        ("dingtalk", {"accessToken": "t-1", "expireIn": 7200}, {"code": "invalidClientIdOrSecret"}),
        (
            "wecom-service",
            {"errcode": 0, "access_token": "t-1", "expires_in": 7200},
            {"errcode": 40001},
        ),
        ("wecom", {"errcode": 0, "access_token": "t-1", "expires_in": 7200}, {"errcode": 40001}),
        ("wechat-official", {"access_token": "t-1", "expires_in": 7200}, {"errcode": 40125}),
    ],
)
async def test_where_tokens_are_exchanged_each_secret_is_proved_by_an_exchange(
    provider: str, given: dict[str, Any], refused: dict[str, Any]
) -> None:
    def exchange(request: httpx.Request) -> httpx.Response:
        known = b"good" in request.read() or "good" in str(request.url)
        return httpx.Response(200 if known or provider != "dingtalk" else 400, json=given if known else refused)

    good, bad = await tried(provider, "good", "bad", handler=exchange, app_id="app1")
    assert (good.outcome, bad.outcome) == (P, F)
    assert good.what == "files.secrets.0: whose it is"
    [empty] = await tried(provider, "good", handler=lambda _: httpx.Response(200, json={}), app_id="app1")
    assert empty.outcome is F


async def test_a_token_of_douyins_in_use_is_left_alone() -> None:
    [attempt] = await tried("douyin", "secret", handler=lambda _: pytest.fail("asked"), app_id="key")
    assert attempt.outcome is N


async def test_an_api_that_does_not_answer_is_no_refused_token() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    with stamina.set_testing(True, attempts=1):
        [attempt] = await tried("telegram", "123:good", handler=away)
    assert (attempt.outcome, "does not answer" in attempt.answer) == (F, True)


async def test_a_server_of_ones_own_is_asked_at_its_address() -> None:
    asked: list[httpx.URL] = []

    def own(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"ok": True})

    await tried("telegram", "123:good", handler=own, api="http://telegram.internal:8081")
    assert [(url.port, url.path) for url in asked] == [(8081, "/bot123:good/getMe")]


async def test_the_files_of_pulled_sources_are_tried_as_well(tmp_path: Path) -> None:
    file = tmp_path / "pull-sources.yaml"
    file.write_text("sources: [{name: a, provider: wecom-service, files: {app_id: ww1, secrets: [{value: t}]}}]")
    assert {
        entry.name: entry.load().file for entry in entry_points(group=GROUP, module="ingest_files.check_sources")
    } == {
        "ingest-files": SourcesFile.WEBHOOKS,
        "ingest-files-pull": SourcesFile.PULL,
    }
    asked = Asked(file, None, {}, datetime.now(UTC))
    async with PULL_CHECKER.open(asked) as trials:
        assert [(trial.source, trial.provider) for trial in trials] == [("a", "wecom-service")]
    file.unlink()
    with pytest.raises(SourcesInvalid, match="FIREBREAK_PULL_SOURCES_FILE"):
        async with PULL_CHECKER.open(asked):
            pass


async def test_the_sources_with_files_are_tried_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text("sources: [{name: a, provider: slack, files: {tokens: [{value: t}]}}, {name: b, provider: slack}]")
    asked = Asked(file, None, {}, datetime.now(UTC))
    async with open_trials(asked) as trials:
        assert [(trial.source, trial.provider) for trial in trials] == [("a", "slack")]
    file.write_text("sources: [{name: a, provider: slack, files: {}}]")
    with pytest.raises(SourcesInvalid, match="only for a token"):
        async with open_trials(asked):
            pass


@pytest.mark.parametrize(("is_open", "outcomes"), [(False, [P, F]), (True, [F, F])])
async def test_a_switchs_web_server_has_to_know_the_password_and_to_ask_for_it(
    is_open: bool, outcomes: list[Outcome]
) -> None:
    platform = SwitchRecordings(is_open=is_open)
    found = await tried("freeswitch", platform.secret, "firebreak:bad", handler=platform, api=platform.api)
    assert [each.outcome for each in found] == outcomes
    assert ["asks for no password" in each.answer for each in found] == [is_open] * 2
    assert platform.secret not in str(found)
