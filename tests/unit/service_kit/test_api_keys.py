import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.api_keys import RANDOM_BYTES, generate, hash_key, matches, verify_checksum

KEY = generate(random.Random(1).randbytes)


@given(st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_every_generated_key_has_the_format_and_a_valid_checksum(randomness: bytes) -> None:
    key = generate(lambda size: randomness[:size])
    assert re.fullmatch(r"fb_[0-9A-Za-z]{36}", key)
    assert verify_checksum(key)


@given(st.sets(st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES), min_size=2, max_size=2))
def test_different_randomness_gives_different_keys(two: set[bytes]) -> None:
    sources = [{RANDOM_BYTES: randomness}.__getitem__ for randomness in two]
    assert len({generate(source) for source in sources}) == 2


@given(st.integers(0, len(KEY) - 1), st.sampled_from("0aZ_ é"))
def test_one_mistyped_character_is_noticed_without_asking_the_database(position: int, character: str) -> None:
    mistyped = KEY[:position] + character + KEY[position + 1 :]
    assert verify_checksum(mistyped) is (mistyped == KEY)


@given(st.text())
def test_any_other_text_is_no_key(text: str) -> None:
    assert not verify_checksum(text)


@pytest.mark.parametrize("other", ["", "fb_", KEY[:-1], KEY + "0", " " + KEY, KEY[3:]])
def test_a_cut_or_padded_key_is_no_key(other: str) -> None:
    assert not verify_checksum(other)


def test_only_the_right_key_matches_the_stored_hash_which_does_not_show_it() -> None:
    stored = hash_key(KEY)
    assert len(stored) == 32
    assert matches(KEY, stored)
    assert not matches(generate(), stored)
    assert KEY.encode() not in stored
