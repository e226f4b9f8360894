"""A bucket of tokens: who may do something how often."""

from ticket_intake.token_bucket import TokenBucket


def test_a_bucket_fills_evenly_and_never_above_its_burst() -> None:
    bucket = TokenBucket(per_second=2, burst=3, now=100)
    assert [bucket.take(100) for _ in range(4)] == [0, 0, 0, 0.5]
    assert [bucket.take(100.5), bucket.take(100.5)] == [0, 0.5]
    assert [bucket.take(1000) for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_bucket_is_full_again_when_it_would_be_like_a_new_one() -> None:
    bucket = TokenBucket(per_second=2, burst=3, now=100)
    assert bucket.is_full(100)
    bucket.take(100)
    assert not bucket.is_full(100.25)
    assert bucket.is_full(100.5)
