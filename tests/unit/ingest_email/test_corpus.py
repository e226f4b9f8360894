"""Mails of the real world, where they are at hand: no exception, no slow one, no lost character."""

import time
from pathlib import Path

import pytest

from ingest_email.domain.charsets import REPLACEMENT
from tests.unit.ingest_email.mails import read

_CORPUS = Path(__file__).parents[4] / "shared" / "data" / "emails"

SLOWEST_SECONDS = 1.0


@pytest.fixture(scope="module")
def corpus() -> dict[str, bytes]:
    if not _CORPUS.is_dir():
        pytest.skip("the e-mail corpus is not on this machine (../shared/data/emails)")
    return {str(path.relative_to(_CORPUS)): path.read_bytes() for path in sorted(_CORPUS.rglob("*")) if path.is_file()}


def test_every_mail_is_read_in_time_and_without_a_failed_body(corpus: dict[str, bytes]) -> None:
    slow, failed = [], []
    for name, raw in corpus.items():
        began = time.process_time()
        mail = read(raw)
        if time.process_time() - began > SLOWEST_SECONDS:
            slow.append(name)
        failed += [(name, problem) for problem in mail.problems if "see the original" in problem]
    assert (slow, failed) == ([], [])


def test_no_character_is_lost_where_the_charset_was_known(corpus: dict[str, bytes]) -> None:
    lost = []
    for name, raw in corpus.items():
        mail = read(raw)
        words = f"{mail.summary.subject}\n{mail.summary.sender.name}\n{mail.body.text}\n{mail.body.quoted_text}"
        already_lost = REPLACEMENT.encode() in raw or b"=EF=BF=BD" in raw.upper()
        admitted = any("some characters are not" in problem for problem in mail.problems)
        if REPLACEMENT in words and not already_lost and not admitted:
            lost.append(name)
    assert lost == []
