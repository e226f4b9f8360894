"""The pages that administrators read say what the code does."""

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from ingest_files.file_sources import read_file_sources
from ingest_files.schemes.registry import BY_ROLE, EXCHANGING, SCHEMES, WITHOUT_SOMETIMES, WITHOUT_TOKEN
from ingest_pull.kinds.registry import KINDS
from ingest_webhook.providers.registry import PROVIDERS
from tests.support.workspace_services import ROOT

PAGE = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
SECRETS = {
    "X_FILES": "key:key-secret:ours:ours-secret",
    "FREESWITCH_FILES": "firebreak:a-password",
    "CONNECT_FILES": "AKIDEXAMPLE:a-secret",
}


def rows() -> dict[str, str]:
    """Return what the table says is to be written, by provider."""
    cells = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| `[a-z-]+`.*\|.*\|.*\|", line)]
    return {name: row[2] for row in cells if len(row) == 4 for name in re.findall(r"`([a-z-]+)`", row[0])}


def test_the_table_has_every_provider_whose_files_can_be_fetched() -> None:
    assert set(rows()) == set(SCHEMES)


@pytest.mark.parametrize("provider", sorted(SCHEMES))
def test_the_table_says_what_is_to_be_written(provider: str) -> None:
    written = rows()[provider]
    assert ("`app_id`, `secrets`" in written) == (provider in EXCHANGING)
    assert ("`tokens`" in written) == (provider not in EXCHANGING | WITHOUT_TOKEN)
    assert ("nothing" in written) == (provider in WITHOUT_SOMETIMES | WITHOUT_TOKEN | BY_ROLE)


def test_every_other_provider_is_said_to_be_without() -> None:
    [others] = re.findall(r"\nNo other source.*?\n\n", PAGE, re.DOTALL)
    named = set(re.findall(r"`([a-z-]+)`", others))
    assert named == (set(PROVIDERS) | set(KINDS)) - set(SCHEMES)


def pages() -> list[tuple[str, str]]:
    """Return the part about files of each page that has one: the provider it is about, and its YAML."""
    found = []
    for path in sorted((ROOT / "docs" / "channels").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for block in re.findall(r"\n## Files\n.*?```yaml\n(.*?)```", text, re.DOTALL):
            [provider] = set(re.findall(r"^    provider: (\S+)", text, re.MULTILINE))
            found.append((provider, block))
    return found


def test_the_page_of_every_provider_that_wants_more_than_a_token_tells_where_to_find_it() -> None:
    assert {provider for provider, _ in pages()} == EXCHANGING | {
        *("weibo", "x", "twilio-voice", "aircall", "dialpad", "freeswitch", "connect-records"),
    }


def environment(text: str) -> dict[str, str]:
    return {name: SECRETS.get(name, "a-secret") for name in re.findall(r"env:(\w+)", text)}


@pytest.mark.parametrize(("provider", "block"), pages(), ids=[provider for provider, _ in pages()])
def test_what_the_pages_show_can_be_used(provider: str, block: str, tmp_path: Path) -> None:
    entry = {"name": "a", "provider": provider} | yaml.safe_load(textwrap.dedent(block))
    (tmp_path / "sources.yaml").write_text(yaml.safe_dump({"sources": [entry]}), encoding="utf-8")
    assert set(read_file_sources(tmp_path / "sources.yaml", environment(block)).by_name) == {"a"}


def test_the_sources_of_the_page_can_be_used(tmp_path: Path) -> None:
    [block] = re.findall(r"```yaml\n(sources:.*?)```", PAGE, re.DOTALL)
    (tmp_path / "sources.yaml").write_text(block, encoding="utf-8")
    assert set(read_file_sources(tmp_path / "sources.yaml", environment(block)).by_name) == {
        "dealers",
        "feishu-service",
    }
