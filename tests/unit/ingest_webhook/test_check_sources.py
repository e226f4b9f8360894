"""`firebreak sources check` against the app that it would call, with a source of every provider."""

from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
import yaml

from ingest_webhook.check_sources import attempts, open_trials
from ingest_webhook.providers.registry import PROVIDERS
from ingest_webhook.samples.registry import SAMPLES, TOKEN_SAMPLES
from ingest_webhook.sources import ConfiguredSource, read_configured
from tests.support.every_source import EVERY_SOURCE, sources_file
from tests.unit.ingest_webhook.all_providers import sources_of
from tests.unit.ingest_webhook.edge import NOW, Edge, client_of
from ticket_intake.source_checks import Asked, Attempt, Outcome

ALL = sources_file()
SLACK, SHOP = sources_of("slack"), sources_of("standard-webhooks")
PUBLIC_KEY = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def configured(folder: Path, sources: str = ALL) -> list[ConfiguredSource]:
    file = folder / "checked.yaml"
    file.write_text(sources, encoding="utf-8")
    return read_configured(file, {})


async def checked(sources: Sequence[ConfiguredSource], edge: Edge, folder: Path, running: str) -> list[Attempt]:
    async with client_of(edge.app(folder, sources=running)) as client:
        return await asked(sources, client)


async def asked(sources: Sequence[ConfiguredSource], client: httpx.AsyncClient | None) -> list[Attempt]:
    return [attempt for source in sources async for attempt in attempts(source, client, NOW)]


def test_every_provider_has_a_sample() -> None:
    assert sorted(SAMPLES) == sorted(PROVIDERS)
    assert sorted(TOKEN_SAMPLES) == sorted(source.provider for source in EVERY_SOURCE if source.tokens)


async def test_each_secret_of_each_source_is_proved_and_nothing_unsigned_passes(tmp_path: Path) -> None:
    edge, sources = Edge(), configured(tmp_path)
    checks = await checked(sources, edge, tmp_path, ALL)
    assert {source.provider for source in sources} == set(PROVIDERS)
    assert [check for check in checks if check.outcome is not Outcome.PASSED] == []
    assert len(checks) == sum(len(source.tokens) + len(source.secrets) + 1 for source in sources)
    assert sum(check.answer == "401" for check in checks) == len(sources)


async def test_a_check_publishes_nothing(tmp_path: Path) -> None:
    edge = Edge()
    await checked(configured(tmp_path), edge, tmp_path, ALL)
    assert edge.published == []
    assert edge.stored == {}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_service_with_other_secrets_is_found_out(provider: str, tmp_path: Path) -> None:
    [entry] = yaml.safe_load(sources_of(provider))["sources"]
    running = yaml.safe_dump({"sources": [{**entry, "secrets": entry["secrets"][:-1]}]})
    *known, unknown, refused = await checked(configured(tmp_path, sources_of(provider)), Edge(), tmp_path, running)
    assert [check.outcome for check in (*known, refused)] == [Outcome.PASSED] * (len(known) + 1)
    assert (unknown.outcome, "other secrets" in unknown.advice) == (Outcome.FAILED, True)


async def test_a_verify_token_that_the_service_does_not_have_is_found_out_before_meta_asks(tmp_path: Path) -> None:
    [entry] = yaml.safe_load(sources_of("whatsapp"))["sources"]
    running = yaml.safe_dump({"sources": [{**entry, "tokens": [{"value": "another-verify-token"}]}]})
    asked, *others = await checked(configured(tmp_path, sources_of("whatsapp")), Edge(), tmp_path, running)
    assert (asked.what, asked.answer) == ("tokens.0: Meta's question, with the verify token", "401")
    assert "other secrets" in asked.advice
    assert {other.outcome for other in others} == {Outcome.PASSED}


async def test_a_source_that_the_service_does_not_know_is_found_out(tmp_path: Path) -> None:
    checks = await checked(configured(tmp_path, SLACK), Edge(), tmp_path, SHOP)
    assert [(check.answer, "does not know this source" in check.advice) for check in checks[:-1]] == [("404", True)] * 2


async def test_a_service_that_is_away_is_told_by_its_address(tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as client:
        sources = configured(tmp_path, SHOP)
        checks = await asked(sources, client)
    assert all("http://127.0.0.1:9" in check.advice for check in checks)


async def test_a_public_key_is_named_as_what_cannot_be_tried(tmp_path: Path) -> None:
    [entry] = yaml.safe_load(SHOP)["sources"]
    sources = yaml.safe_dump({"sources": [{**entry, "secrets": [{"value": PUBLIC_KEY}]}]})
    [check] = await checked(configured(tmp_path, sources), Edge(), tmp_path, sources)
    assert check.outcome is Outcome.NOT_TRIED
    assert "only the sender can sign" in check.what


async def test_a_service_whose_address_nobody_named_is_asked_for(tmp_path: Path) -> None:
    sources = configured(tmp_path, SHOP)
    [attempt] = await asked(sources, None)
    assert (attempt.outcome, "--url" in attempt.advice) == (Outcome.FAILED, True)


async def test_every_source_of_the_file_is_tried(tmp_path: Path) -> None:
    (tmp_path / "sources.yaml").write_text(ALL, encoding="utf-8")
    async with open_trials(Asked(tmp_path / "sources.yaml", "http://127.0.0.1:9", {}, NOW)) as trials:
        assert {trial.provider for trial in trials} == set(PROVIDERS)


async def test_only_what_was_taken_unsigned_is_called_open_to_anybody(tmp_path: Path) -> None:
    checks = await checked(configured(tmp_path, SLACK), Edge(), tmp_path, SHOP)
    assert "does not know this source" in checks[-1].advice
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)), base_url="http://edge")
    *_, refusal = await asked(configured(tmp_path, SLACK), client)
    assert "anybody could write" in refusal.advice
