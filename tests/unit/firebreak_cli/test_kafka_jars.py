"""Kafka's jars are exactly those of the lock, or nothing is started."""

import hashlib
from pathlib import Path

import pytest
import requests

from firebreak_cli.local_stack.errors import ChecksumError, LocalStackError, RegistryUnreachableError
from firebreak_cli.local_stack.kafka_jars import (
    Jar,
    cached_jars,
    committed_lock,
    download,
    jars_in_folder,
    parse_lock,
    user_cache,
)

CONTENT = b"class files"
JAR = Jar("org.example", "broker", "1.2", hashlib.sha256(CONTENT).hexdigest())


def fetch_good(jar: Jar, folder: Path) -> Path:
    path = folder / jar.file_name
    path.write_bytes(CONTENT)
    return path


def fetch_bad(jar: Jar, folder: Path) -> Path:
    path = folder / jar.file_name
    path.write_bytes(b"something else")
    return path


def fetch_never(jar: Jar, folder: Path) -> Path:
    raise AssertionError(f"{jar.coordinate} must not be fetched")


def test_a_lock_line_is_a_coordinate_and_a_checksum() -> None:
    assert parse_lock(f"# comment\n\norg.example:broker:1.2 {JAR.sha256}\n") == [JAR]


@pytest.mark.parametrize(
    "line", ["org.example:broker 12ab", "org.example:broker:1.2", "a:b:c 12ab", "a:b:c:d " + 64 * "0"]
)
def test_a_malformed_lock_line_is_named(line: str) -> None:
    with pytest.raises(LocalStackError, match=r"line 2 is not 'group:artifact:version sha256'"):
        parse_lock(f"# comment\n{line}\n")


def test_the_committed_lock_names_kafka_and_no_jar_twice() -> None:
    lock = committed_lock()
    assert "org.apache.kafka:kafka_2.13:4.3.1" in {jar.coordinate for jar in lock}
    assert len({jar.file_name for jar in lock}) == len(lock)


def test_a_missing_jar_is_fetched_once_and_then_cached(tmp_path: Path) -> None:
    assert cached_jars([JAR], tmp_path, fetch_good) == [tmp_path / "broker-1.2.jar"]
    assert cached_jars([JAR], tmp_path, fetch_never) == [tmp_path / "broker-1.2.jar"]


def test_a_damaged_jar_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    (tmp_path / JAR.file_name).write_bytes(CONTENT[:4])
    [path] = cached_jars([JAR], tmp_path, fetch_good)
    assert path.read_bytes() == CONTENT


def test_a_jar_with_another_checksum_never_enters_the_cache(tmp_path: Path) -> None:
    with pytest.raises(ChecksumError, match=r"org\.example:broker:1\.2 .* expected " + JAR.sha256):
        cached_jars([JAR], tmp_path, fetch_bad)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_jars_is_used_as_it_is(tmp_path: Path) -> None:
    fetch_good(JAR, tmp_path)
    assert jars_in_folder([JAR], tmp_path) == [tmp_path / JAR.file_name]


def test_a_folder_that_lacks_a_jar_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match=r"FIREBREAK_KAFKA_JARS.* lacks 1 of 1 jars, first broker-1\.2\.jar"):
        jars_in_folder([JAR], tmp_path)


def test_a_folder_with_another_jar_under_the_name_is_refused(tmp_path: Path) -> None:
    fetch_bad(JAR, tmp_path)
    with pytest.raises(ChecksumError):
        jars_in_folder([JAR], tmp_path)


def test_an_unreachable_registry_names_every_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> requests.Response:
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "request", refuse)
    with pytest.raises(RegistryUnreachableError) as caught:
        cached_jars([JAR], tmp_path, download)
    for word in ("org.example:broker:1.2", "proxy", "FIREBREAK_KAFKA_JARS", "FIREBREAK_KAFKA="):
        assert word in str(caught.value)


def test_the_cache_follows_the_xdg_variable() -> None:
    assert user_cache({"XDG_CACHE_HOME": "/elsewhere"}) == Path("/elsewhere/firebreak")
    assert user_cache({}) == Path.home() / ".cache" / "firebreak"
