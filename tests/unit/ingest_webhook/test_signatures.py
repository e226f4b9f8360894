"""The signature checks against the vectors that their owners publish, and each way of being wrong."""

import base64
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ticket_intake.keyed_hmac import keyed_digest, signing_keys
from ticket_intake.signatures import (
    MAX_SIGNATURES,
    TOLERANCE_SECONDS,
    SecretMalformed,
    SignatureInvalid,
    SignatureStale,
    StandardKeys,
    standard_keys,
    verify_basic_credentials,
    verify_slack,
    verify_standard_webhook,
)

# standard-webhooks/standard-webhooks, libraries/python/tests/test_webhooks.py, test_sign_function
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_ID = b"msg_p5jXN8AQM9LWM0D4loKWxJek"
STANDARD_TIME = 1614265330
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_SIGNATURE = b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

# slackapi/python-slack-sdk, tests/slack_sdk/signature/test_signature_verifier.py
SLACK_SECRET = b"8f742231b10e8888abcd99yyyzzz85a5"
SLACK_TIME = 1531420618
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_SIGNATURE = b"v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def check_standard(
    *,
    body: bytes = STANDARD_BODY,
    message_id: bytes = STANDARD_ID,
    timestamp: bytes = str(STANDARD_TIME).encode(),
    signatures: bytes = STANDARD_SIGNATURE,
    keys: StandardKeys | None = None,
    now: float = STANDARD_TIME,
) -> None:
    keys = keys or standard_keys([STANDARD_SECRET])
    verify_standard_webhook(body, message_id=message_id, timestamp=timestamp, signatures=signatures, keys=keys, now=now)


def check_slack(*, body: bytes = SLACK_BODY, signature: bytes = SLACK_SIGNATURE, now: float = SLACK_TIME) -> None:
    timestamp = str(SLACK_TIME).encode()
    verify_slack(body, timestamp=timestamp, signature=signature, keys=signing_keys([b"another", SLACK_SECRET]), now=now)


def test_the_published_standard_webhooks_vector_is_accepted() -> None:
    check_standard()


def test_a_secret_without_its_prefix_or_padding_is_the_same_secret() -> None:
    check_standard(keys=standard_keys([STANDARD_SECRET.removeprefix("whsec_")]))
    unpadded = base64.b64encode(b"k" * 25).decode().rstrip("=")
    [key] = standard_keys([unpadded]).shared
    assert keyed_digest(key, b"x") == hmac.digest(b"k" * 25, b"x", "sha256")


def test_one_right_signature_among_others_is_enough() -> None:
    wrong = b"v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
    check_standard(signatures=b" ".join((wrong, b"v2,abc", b"no-comma", STANDARD_SIGNATURE, wrong)))


def test_only_so_many_signatures_are_looked_at() -> None:
    with pytest.raises(SignatureInvalid):
        check_standard(signatures=b"v1,AAAA " * MAX_SIGNATURES + STANDARD_SIGNATURE)


@pytest.mark.parametrize(
    "changed",
    [
        {"body": STANDARD_BODY + b" "},
        {"message_id": b"msg_another"},
        {"message_id": b""},
        {"timestamp": str(STANDARD_TIME + 1).encode()},
        {"timestamp": b"hello"},
        {"timestamp": b""},
        {"signatures": b""},
        {"signatures": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="},
        {"signatures": b"v1," + "签名".encode()},
        {"signatures": STANDARD_SIGNATURE.replace(b"v1", b"v2")},
        {"keys": StandardKeys((), ())},
    ],
)
def test_anything_changed_after_signing_is_refused(changed: dict[str, bytes]) -> None:
    with pytest.raises(SignatureInvalid):
        check_standard(**changed)  # type: ignore[arg-type]  # one table for arguments of several types


@pytest.mark.parametrize("age", [TOLERANCE_SECONDS, -TOLERANCE_SECONDS])
def test_five_minutes_in_either_direction_are_still_fresh(age: int) -> None:
    check_standard(now=STANDARD_TIME + age)
    check_slack(now=SLACK_TIME + age)


@pytest.mark.parametrize("age", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_a_right_signature_from_another_time_is_stale(age: int) -> None:
    with pytest.raises(SignatureStale):
        check_standard(now=STANDARD_TIME + age)
    with pytest.raises(SignatureStale):
        check_slack(now=SLACK_TIME + age)


def test_an_ed25519_signature_is_checked_with_the_public_key() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    keys = standard_keys(["whpk_" + base64.b64encode(private.public_key().public_bytes_raw()).decode()])
    signed = b".".join((STANDARD_ID, str(STANDARD_TIME).encode(), STANDARD_BODY))
    signature = b"v1a," + base64.b64encode(private.sign(signed))
    check_standard(keys=keys, signatures=b"v1a,%%% " + signature)
    with pytest.raises(SignatureInvalid):
        check_standard(keys=keys, signatures=signature, body=b"{}")


@pytest.mark.parametrize(
    ("secret", "fix"),
    [
        ("whsec_c2hvcnQ=", "24 to 64"),
        ("whsec_ not base64!", "not base64"),
        ("whpk_c2hvcnQ=", "32 bytes"),
        ("whsec_", "24"),
    ],
)
def test_a_secret_that_cannot_be_one_is_named_without_showing_it(secret: str, fix: str) -> None:
    with pytest.raises(SecretMalformed, match=fix) as raised:
        standard_keys([secret])
    assert secret.partition("_")[2] == "" or secret.partition("_")[2] not in str(raised.value)


def test_the_vector_of_the_slack_sdk_is_accepted() -> None:
    check_slack()


@pytest.mark.parametrize("changed", [{"body": SLACK_BODY + b"------"}, {"signature": b""}, {"signature": b"v0="}])
def test_a_slack_request_that_was_changed_is_refused(changed: dict[str, bytes]) -> None:
    with pytest.raises(SignatureInvalid):
        check_slack(**changed)  # type: ignore[arg-type]  # as above


# RFC 7617 §2: the example of the standard itself.
def test_the_basic_credentials_of_the_standard_are_accepted() -> None:
    verify_basic_credentials(b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", [b"other:one", b"Aladdin:open sesame"])
    verify_basic_credentials(b"basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==", [b"Aladdin:open sesame"])


@pytest.mark.parametrize(
    "authorization", [b"", b"Basic", b"Basic ???", b"Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==", b"Basic QWxhZGRpbjpvcGVu"]
)
def test_other_credentials_are_refused(authorization: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify_basic_credentials(authorization, [b"Aladdin:open sesame"])
