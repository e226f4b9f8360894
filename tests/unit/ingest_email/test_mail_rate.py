"""The share of mails that a client address has in a minute."""

import pytest

from ingest_email import mail_rate
from ingest_email.mail_rate import MailRate


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_an_address_has_its_share_of_a_minute_and_others_have_theirs() -> None:
    clock = Clock()
    rate = MailRate(2, clock)
    assert [rate.take("a"), rate.take("a"), rate.take("a"), rate.take("b")] == [True, True, False, True]
    clock.seconds = 30
    assert [rate.take("a"), rate.take("a")] == [True, False]


def test_who_has_a_full_share_is_forgotten_first_and_nobody_gains_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_rate, "_MOST_ADDRESSES", 2)
    clock = Clock()
    rate = MailRate(1, clock)
    rate.take("early")
    clock.seconds = 59
    rate.take("used up")
    clock.seconds = 60
    assert rate.take("newcomer")
    assert set(rate._buckets) == {"used up", "newcomer"}
    assert not rate.take("used up")


def test_no_limit_remembers_nobody() -> None:
    rate = MailRate(0, Clock())
    assert all(rate.take("a") for _ in range(100))
    assert rate._buckets == {}
