"""One spelling of a number, whoever writes it."""

import pytest

from ingest_webhook.providers.freeswitch_cdr import FreeswitchCdr
from tests.unit.ingest_webhook.edge import SWITCH_SECRET, switch_sender
from tests.unit.ingest_webhook.readings import read_one
from ticket_intake.phone_numbers import e164, known_region, plain_number


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+8613800138000", None, "+8613800138000"),
        ("13800138000", "CN", "+8613800138000"),
        ("008613800138000", "CN", "+8613800138000"),
        ("02161234567", "CN", "+862161234567"),
        ("13800138000", None, None),
        ("1004", "CN", None),
        ("+12", None, None),
        ("sip:13800138000@example.com", "CN", None),
        ("+" + "9" * 20, None, None),
    ],
)
def test_a_number_is_told_by_its_country_or_not_at_all(text: str, region: str | None, number: str | None) -> None:
    assert e164(text, region) == number


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("+86 (138) 0013-8000", "+8613800138000"),
        (" Anonymous ", ""),
        ("+266696687", ""),
        ("dan", "dan"),
        ("x" * 300, "x" * 200),
    ],
)
def test_punctuation_is_no_part_of_a_number(written: str, plain: str) -> None:
    assert plain_number(written) == plain


def test_a_region_is_two_capital_letters_that_the_library_knows() -> None:
    assert known_region("CN") == "CN"
    for region in ("cn", "China", "XX", ""):
        with pytest.raises(ValueError, match="CN or DE"):
            known_region(region)


def test_a_switch_that_writes_local_numbers_can_be_given_its_country() -> None:
    profile = {"caller_id_number": "13800138000", "destination_number": "400"}
    as_written = read_one(FreeswitchCdr.build({}, [SWITCH_SECRET]), switch_sender().call(profile=profile))
    with_country = read_one(
        FreeswitchCdr.build({"region": "CN"}, [SWITCH_SECRET]), switch_sender().call(profile=profile)
    )
    assert as_written.sender.value == "13800138000"
    assert with_country.sender.value == "+8613800138000"
    assert with_country.recipients[0].value == "400"
