"""Links of strangers lead to the open internet and to their provider, and nowhere else."""

from urllib.parse import urlsplit

import pytest

from ingest_files.domain.addresses import all_open, is_open_internet
from ingest_files.domain.hosts import AllowedHosts

CLOSED = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "not an address",
    "",
]


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_of_ours_or_of_nobody_is_refused_however_it_is_written(address: str) -> None:
    assert not is_open_internet(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_an_address_of_the_open_internet_is_allowed(address: str) -> None:
    assert is_open_internet(address)


def test_one_closed_address_among_many_refuses_the_name() -> None:
    assert all_open(["8.8.8.8", "2606:4700::1111"])
    assert not all_open(["8.8.8.8", "10.0.0.1"])
    assert not all_open([])


HOSTS = AllowedHosts(("slack.com",), frozenset({("http", "bot.internal", 8081)}))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://files.slack.com/a", True),
        ("https://slack.com/a", True),
        ("https://FILES.slack.com./a", True),
        ("https://files.slack.com:443/a", True),
        ("http://files.slack.com/a", False),
        ("https://files.slack.com:8443/a", False),
        ("https://files.slack.com@evil.example/a", False),
        ("https://user:word@files.slack.com/a", False),
        ("https://evilslack.com/a", False),
        ("https://slack.com.evil.example/a", False),
        ("https://10.0.0.1/a", False),
        ("file:///etc/passwd", False),
        ("gopher://slack.com/a", False),
        ("http://bot.internal:8081/a", True),
        ("http://bot.internal/a", False),
        ("https:///a", False),
    ],
)
def test_only_the_providers_own_names_and_what_an_operator_wrote_are_asked(url: str, allowed: bool) -> None:
    assert HOSTS.allow(urlsplit(url)) is allowed
