"""`firebreak sources check` against the app that it would call, with a source of every provider."""

from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from firebreak_cli.__main__ import make_app
from ingest_webhook.check_sources import Check, check_sources
from ingest_webhook.providers.registry import PROVIDERS
from ingest_webhook.samples.registry import SAMPLES
from ingest_webhook.sources import ConfiguredSource, read_configured
from tests.unit.ingest_webhook import rows_of_chinese_platforms, rows_of_phone_and_forms
from tests.unit.ingest_webhook.all_providers import PROVIDERS_UNDER_TEST, ProviderUnderTest
from tests.unit.ingest_webhook.edge import NOW, Edge, client_of

EVERY_SOURCE = yaml.safe_dump(
    {
        "sources": [
            *yaml.safe_load(rows_of_chinese_platforms.SOURCES)["sources"],
            *yaml.safe_load("sources:\n" + "".join(row.entry for row in rows_of_phone_and_forms.ROWS))["sources"],
            *(source for row in PROVIDERS_UNDER_TEST for source in yaml.safe_load(row.sources)["sources"]),
        ]
    }
)
PUBLIC_KEY = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def configured(folder: Path, sources: str = EVERY_SOURCE) -> list[ConfiguredSource]:
    file = folder / "checked.yaml"
    file.write_text(sources, encoding="utf-8")
    return read_configured(file, {})


async def checked(sources: Sequence[ConfiguredSource], edge: Edge, folder: Path, running: str) -> list[Check]:
    async with client_of(edge.app(folder, sources=running)) as client:
        return [check async for check in check_sources(sources, client, NOW)]


def test_every_provider_has_a_sample() -> None:
    assert sorted(SAMPLES) == sorted(PROVIDERS)


async def test_each_secret_of_each_source_is_proved_and_nothing_unsigned_passes(tmp_path: Path) -> None:
    edge, sources = Edge(), configured(tmp_path)
    checks = await checked(sources, edge, tmp_path, EVERY_SOURCE)
    assert {source.provider for source in sources} == set(PROVIDERS)
    assert [check for check in checks if not check.passed] == []
    assert len(checks) == sum(len(source.secrets) + 1 for source in sources)
    assert sum(check.status == 401 for check in checks) == len(sources)


async def test_a_check_publishes_nothing(tmp_path: Path) -> None:
    edge = Edge()
    await checked(configured(tmp_path), edge, tmp_path, EVERY_SOURCE)
    assert edge.published == []
    assert edge.stored == {}


@pytest.mark.parametrize("row", PROVIDERS_UNDER_TEST, ids=str)
async def test_a_service_with_other_secrets_is_found_out(row: ProviderUnderTest, tmp_path: Path) -> None:
    [entry] = yaml.safe_load(row.sources)["sources"]
    running = yaml.safe_dump({"sources": [{**entry, "secrets": entry["secrets"][:1]}]})
    checks = await checked(configured(tmp_path, row.sources), Edge(), tmp_path, running)
    assert [check.passed for check in checks] == [True, False, True]
    assert "other secrets" in checks[1].advice


async def test_a_source_that_the_service_does_not_know_is_found_out(tmp_path: Path) -> None:
    rows = PROVIDERS_UNDER_TEST
    checks = await checked(configured(tmp_path, rows[1].sources), Edge(), tmp_path, rows[0].sources)
    assert [(check.status, "does not know this source" in check.advice) for check in checks[:-1]] == [(404, True)] * 2


async def test_a_service_that_is_away_is_told_by_its_address(tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9") as client:
        sources = configured(tmp_path, PROVIDERS_UNDER_TEST[0].sources)
        checks = [check async for check in check_sources(sources, client, NOW)]
    assert all("http://127.0.0.1:9" in check.advice for check in checks)


async def test_a_public_key_is_named_as_what_cannot_be_tried(tmp_path: Path) -> None:
    [entry] = yaml.safe_load(PROVIDERS_UNDER_TEST[0].sources)["sources"]
    sources = yaml.safe_dump({"sources": [{**entry, "secrets": [{"value": PUBLIC_KEY}]}]})
    [check] = await checked(configured(tmp_path, sources), Edge(), tmp_path, sources)
    assert (check.passed, check.status) == (True, None)
    assert "only the sender can sign" in check.what


def test_the_command_names_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text("sources: [{name: shop}]", encoding="utf-8")
    result = CliRunner().invoke(make_app(), ["sources", "check", "--file", str(file), "--no-send"])
    assert result.exit_code == 1
    assert "sources.0.provider" in result.output


def test_the_command_checks_a_file_without_a_service(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text(EVERY_SOURCE, encoding="utf-8")
    result = CliRunner().invoke(make_app(), ["sources", "check", "--file", str(file), "--no-send", "--json"])
    assert result.exit_code == 0
    assert result.output.count('"passed": true') == len(PROVIDERS)


async def test_only_what_was_taken_unsigned_is_called_open_to_anybody(tmp_path: Path) -> None:
    rows = PROVIDERS_UNDER_TEST
    checks = await checked(configured(tmp_path, rows[1].sources), Edge(), tmp_path, rows[0].sources)
    assert "does not know this source" in checks[-1].advice
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)), base_url="http://edge")
    *_, refusal = [check async for check in check_sources(configured(tmp_path, rows[1].sources), client, NOW)]
    assert "anybody could write" in refusal.advice
