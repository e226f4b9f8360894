"""What the sources file says about files is read whole: every problem names the field and the fix."""

from pathlib import Path

import pytest
import yaml

from ingest_files.file_sources import read_all_sources, read_file_sources
from ingest_files.schemes.registry import EXCHANGING, SCHEMES, WITHOUT_SOMETIMES, WITHOUT_TOKEN
from ticket_intake.source_file import SourcesInvalid

ENVIRONMENT = {"SECRET": "s3cret", "NEXT": "next"}
SWITCH = {"api": "https://switch.internal/recordings", "tokens": [{"value": "user:s3cret"}]}
CONNECT = {"bucket": "amazon-connect-0123/connect/shop", "region": "eu-west-1"}
X = {"value": "key:key-secret:ours:ours-secret"}


def written(tmp_path: Path, provider: str, files: object) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump({"sources": [{"name": "a", "provider": provider, "files": files}]}))
    return path


@pytest.mark.parametrize("provider", sorted(EXCHANGING))
def test_an_application_and_its_secrets_are_read(provider: str, tmp_path: Path) -> None:
    files = {"app_id": "cli_9f53", "secrets": ["env:SECRET", "env:NEXT"], "api": "https://open.larksuite.com"}
    source = read_file_sources(written(tmp_path, provider, files), ENVIRONMENT).by_name["a"]
    assert source.fetch is SCHEMES[provider]
    assert source.access.tokens == ("s3cret", "next")
    assert (source.access.app_id, source.access.api) == ("cli_9f53", "https://open.larksuite.com")


def test_a_bucket_is_read_with_keys_or_as_whoever_the_process_is(tmp_path: Path) -> None:
    role = read_file_sources(written(tmp_path, "connect-records", CONNECT), ENVIRONMENT).by_name["a"].access
    assert (role.tokens, role.bucket, role.region) == (("",), "amazon-connect-0123/connect/shop", "eu-west-1")
    keys = CONNECT | {"tokens": [{"parts": [{"value": "AKID"}, "env:SECRET"]}]}
    assert read_file_sources(written(tmp_path, "connect-records", keys), ENVIRONMENT).by_name["a"].access.tokens == (
        "AKID:s3cret",
    )


@pytest.mark.parametrize("provider", sorted(WITHOUT_SOMETIMES | WITHOUT_TOKEN))
def test_who_gives_something_without_credentials_may_have_none(provider: str, tmp_path: Path) -> None:
    source = read_file_sources(written(tmp_path, provider, {}), ENVIRONMENT).by_name["a"]
    assert source.access.tokens == ("",)


@pytest.mark.parametrize(
    ("provider", "files", "problem"),
    [
        ("feishu", {}, r"\(a\)\.files\.app_id: feishu gives files only for `app_id` and `secrets`"),
        ("wecom", {"app_id": "ww1"}, r"\.files\.secrets: is missing; wecom takes both"),
        ("dingtalk", {"secrets": ["env:SECRET"]}, r"\.files\.app_id: is missing; dingtalk takes both"),
        ("wechat-official", {"app_id": "wx1"}, r"\.files\.secrets: is missing"),
        (
            "feishu",
            {"app_id": "cli_1", "secrets": ["env:NONE"]},
            r"\.files\.secrets\.0: .*set the environment variable",
        ),
        ("feishu", {"tokens": ["env:SECRET"]}, r"\.files\.tokens: feishu gives its tokens itself"),
        ("feishu", {"app_id": "a b", "secrets": ["env:SECRET"]}, r"files\.app_id"),
        ("feishu", {"app_id": "cli_1", "secrets": [{"value": ""}]}, r"files\.secrets\.0"),
        ("slack", {"app_id": "A1", "secrets": ["env:SECRET"]}, r"\.files\.secrets: slack takes `tokens`"),
        ("weibo", {"app_id": "1", "tokens": ["env:SECRET"]}, r"\.files\.app_id: weibo takes `tokens`"),
        ("weibo", {}, r"\.files\.tokens: weibo gives files only for a token"),
        ("aircall", {}, r"\.files\.tokens: aircall gives files only for a token"),
        ("x", {"tokens": ["env:SECRET"]}, r"\.files\.tokens: one is not `API key:API key secret:access token:"),
        ("x", {"tokens": [X, {"value": "a:b::d"}]}, r"\.files\.tokens: one is not"),
        ("freeswitch", SWITCH | {"api": ""}, r"\.files\.api: write the https address"),
        ("freeswitch", SWITCH | {"api": "http://switch.internal/r"}, r"\.files\.api: write the https address"),
        ("freeswitch", SWITCH | {"api": "https://switch.internal/?r="}, r"\.files\.api: write the https address"),
        ("freeswitch", SWITCH | {"tokens": ["env:SECRET"]}, r"\.files\.tokens: one is not `user:password`"),
        ("freeswitch", SWITCH | {"tokens": []}, r"\.files\.tokens: freeswitch gives files only for a token"),
        ("connect-records", {}, r"\.files\.bucket: write the bucket .*\.files\.region: write the region"),
        ("connect-records", CONNECT | {"bucket": "s3://b"}, r"files\.bucket"),
        ("connect-records", CONNECT | {"bucket": "bucket/a/../b"}, r"files\.bucket"),
        ("connect-records", CONNECT | {"tokens": ["env:SECRET"]}, r"\.files\.tokens: one is not `access key ID:secret"),
        (
            "slack",
            {"tokens": ["env:SECRET"], "region": "eu-west-1"},
            r"\.files\.region: files of slack are in no bucket",
        ),
        ("github", {}, r"files of github cannot be fetched; leave `files` out"),
    ],
)
def test_what_is_missing_or_in_vain_is_named(provider: str, files: object, problem: str, tmp_path: Path) -> None:
    with pytest.raises(SourcesInvalid, match=problem) as caught:
        read_file_sources(written(tmp_path, provider, files), ENVIRONMENT)
    assert "s3cret" not in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    entries: list[object] = [{"name": name, "provider": "feishu", "files": {}} for name in ("a", "b")]
    path.write_text(yaml.safe_dump({"sources": entries}))
    with pytest.raises(SourcesInvalid) as caught:
        read_file_sources(path, ENVIRONMENT)
    assert len(caught.value.problems) == 2


def test_the_file_of_pull_sources_is_read_as_well(tmp_path: Path) -> None:
    first = written(tmp_path, "slack", {"tokens": ["env:SECRET"]})
    second = tmp_path / "pull-sources.yaml"
    entry = {"name": "b", "provider": "wecom-service", "files": {"app_id": "ww1", "secrets": ["env:SECRET"]}}
    second.write_text(yaml.safe_dump({"sources": [entry, {"name": "a", "provider": "asterisk-cdr"}]}))
    assert set(read_all_sources(first, second, ENVIRONMENT).by_name) == {"a", "b"}
    assert set(read_all_sources(first, None, ENVIRONMENT).by_name) == {"a"}

    second.write_text(yaml.safe_dump({"sources": [entry | {"name": "a"}]}))
    with pytest.raises(SourcesInvalid, match=r"sources \(a\): has `files` in both sources files; rename one"):
        read_all_sources(first, second, ENVIRONMENT)
    second.unlink()
    with pytest.raises(SourcesInvalid, match="FIREBREAK_PULL_SOURCES_FILE"):
        read_all_sources(first, second, ENVIRONMENT)
