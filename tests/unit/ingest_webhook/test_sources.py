"""The sources file: checked whole, with the fix of each problem, and read again while the service runs."""

import asyncio
import os
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ingest_webhook.metrics import Metrics
from ingest_webhook.provider import Handshake
from ingest_webhook.source_table import SourceTable
from ingest_webhook.sources import read_sources
from tests.support.partners.meta import MetaSender
from tests.support.partners.signed_request import Way
from tests.unit.ingest_webhook.edge import ENVIRONMENT, SOURCES, shop_sender
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_intake.source_file import SourcesInvalid

DEADLINE_SECONDS = 10


def write(folder: Path, text: str) -> Path:
    file = folder / "sources.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def source(**changes: str) -> str:
    fields = {
        "name": "shop",
        "provider": "standard-webhooks",
        "brand": "acme",
        "account": "web",
        "secrets": "[env:NEXT_SHOP_SECRET]",
    }
    return "\n  - " + "\n    ".join(f"{name}: {value}" for name, value in (fields | changes).items())


def problems_of(folder: Path, text: str) -> str:
    with pytest.raises(SourcesInvalid) as raised:
        read_sources(write(folder, text), ENVIRONMENT)
    return "\n".join(raised.value.problems)


def test_a_file_with_every_provider_is_read(tmp_path: Path) -> None:
    sources = read_sources(write(tmp_path, SOURCES), ENVIRONMENT)
    assert sorted(sources.by_name) == ["shop", "slack", "switch"]
    assert sources.by_name["shop"].brand == "acme"


def test_every_secret_of_a_source_is_active(tmp_path: Path) -> None:
    provider = read_sources(write(tmp_path, SOURCES), ENVIRONMENT).by_name["shop"].provider
    for way in (Way.GOOD, Way.ROTATED):
        assert read_one(provider, shop_sender().message("hello", way)).text == "hello"


def test_two_providers_cannot_share_the_name_of_an_account(tmp_path: Path) -> None:
    slack = source(name="chat", provider="slack", secrets="[env:NEXT_SLACK_SECRET]")
    problems = problems_of(tmp_path, "sources:" + source() + slack)
    assert "sources.1 (chat).account: 'web' is also the account of 'shop'" in problems
    assert "slack-web" in problems


def test_two_addresses_of_one_account_are_one_account(tmp_path: Path) -> None:
    assert len(read_sources(write(tmp_path, "sources:" + source() + source(name="shop-2")), ENVIRONMENT).by_name) == 2


def test_a_secret_can_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(shop_sender().secret + "\n")
    text = "sources:" + source(secrets=f"[file:{secret}]")
    sources = read_sources(write(tmp_path, text), {})
    assert read_one(sources.by_name["shop"].provider, shop_sender().message("hello")).text == "hello"
    assert secret in sources.files


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "Shop Form"}, "sources.0.name"),
        ({"provider": "fax"}, "sources.0.provider: must be one of standard-webhooks, slack, freeswitch"),
        ({"brand": '""'}, "sources.0.brand"),
        ({"colour": "red"}, "sources.0.colour: Extra inputs are not permitted"),
        ({"secrets": "[]"}, "sources.0.secrets"),
        (
            {"secrets": "[env:NOT_SET]"},
            "sources.0 (shop).secrets.0: no secret found; set the environment variable NOT_SET",
        ),
        ({"secrets": "[file:/nowhere/at/all]"}, "make /nowhere/at/all a readable text file"),
        ({"secrets": "[whsec_plain]"}, "write env:NAME, file:/path, or `value:`"),
        ({"secrets": "[{value: whsec_c2hvcnQ=}]"}, "24 to 64 bytes"),
        ({"options": "{chanel: chat}"}, "sources.0 (shop).options.chanel: Extra inputs are not permitted"),
        ({"options": "{channel: pigeon}"}, "sources.0 (shop).options.channel"),
        ({"provider": "slack", "secrets": "[{value: 'no secret!'}]"}, "is no Slack signing secret"),
        ({"provider": "freeswitch", "secrets": "[{value: only-a-user}]"}, "is no `user:password`"),
        (
            {"provider": "freeswitch", "secrets": "[{value: 'a:b'}]", "options": "{internal_numbers: '['}"},
            "options.internal_numbers",
        ),
    ],
)
def test_each_problem_is_named_with_its_place(changes: dict[str, str], problem: str, tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "sources:" + source(**changes))
    assert problem in problems
    assert "whsec_" not in problems.replace("`whsec_`", "")


def page(**changes: str) -> str:
    """A source of a provider that takes tokens."""
    fields = {"name": "page", "provider": "messenger", "secrets": "[{value: 4f3b0a1c9de84e6f}]", **changes}
    return source(**fields)


def test_a_token_is_resolved_like_a_secret_and_every_one_is_active(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("the-next-token\n")
    text = "sources:" + page(tokens=f"[env:NEXT_SHOP_SECRET, file:{token}]")
    sources = read_sources(write(tmp_path, text), ENVIRONMENT)
    for known in (ENVIRONMENT["NEXT_SHOP_SECRET"], "the-next-token"):
        question = MetaSender("unused", lambda: 0.0).ask(token=known)
        assert isinstance(read(sources.by_name["page"].provider, question), Handshake)
    assert token in sources.files


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (page(tokens="[env:NOT_SET]"), "(page).tokens.0: no secret found; set the environment variable NOT_SET"),
        (page(tokens="[plain-token]"), "(page).tokens.0: no secret found; write env:NAME, file:/path, or `value:`"),
        (page(), "(page).tokens: this provider needs one; write it beside `secrets`"),
        (page(options="{tokens: [plain-token]}"), "sources.0.options: tokens are secrets: write them"),
        (source(tokens="[env:NEXT_SHOP_SECRET]"), "(shop).tokens: Extra inputs are not permitted"),
        (page(tokens="[{value: t}]", secrets="[{value: 'no secret!'}]"), "(page).secrets: one is no app secret"),
    ],
)
def test_a_problem_of_a_token_is_named_where_it_was_written(text: str, problem: str, tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "sources:" + text)
    assert problem in problems
    assert "plain-token" not in problems


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = "sources:" + source(secrets="[env:ONE]") + source(secrets="[env:TWO]")
    problems = problems_of(tmp_path, text)
    assert all(found in problems for found in ("'shop' stands twice", "ONE", "TWO"))


@pytest.mark.parametrize(
    ("text", "problem"), [("{", "not YAML in UTF-8"), ("", "valid dictionary"), ("- a", "dictionary")]
)
def test_a_file_that_is_no_such_file_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    assert problem in problems_of(tmp_path, text)


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SourcesInvalid, match="FIREBREAK_SOURCES_FILE"):
        read_sources(tmp_path / "missing", {})


async def until_counted(registry: CollectorRegistry, result: str) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        labels = {"result": result}
        while not registry.get_sample_value("firebreak_sources_reloads_total", labels):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0)


async def test_a_changed_secret_is_used_without_a_restart(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(shop_sender().next_secret)
    file = write(tmp_path, "sources:" + source(secrets=f"[file:{secret}]"))
    registry = CollectorRegistry()
    table = SourceTable(file, {}, Metrics(registry))
    watching = asyncio.create_task(table.watch(look_seconds=0.01))
    secret.write_text(shop_sender().secret)
    os.utime(secret, ns=(1, 1))  # a clock of the file system too coarse for a test must not hide the change
    await until_counted(registry, "done")
    changed = table.get("shop")
    assert changed is not None
    assert read_one(changed.provider, shop_sender().message("hello")).text == "hello"
    watching.cancel()


async def test_a_file_that_became_invalid_leaves_the_sources_in_use(tmp_path: Path) -> None:
    file = write(tmp_path, "sources:" + source())
    registry = CollectorRegistry()
    table = SourceTable(file, ENVIRONMENT, Metrics(registry))
    watching = asyncio.create_task(table.watch(look_seconds=3600))
    write(tmp_path, "sources: nonsense")
    table.ask_reload()
    await until_counted(registry, "refused")
    assert table.get("shop") is not None
    watching.cancel()
