"""HMAC-SHA256 over the whole body as Meta, LINE and X write it, against vectors that others published."""

from collections.abc import Callable, Sequence
from typing import Protocol

import pytest
from cryptography.hazmat.primitives.hmac import HMAC

from ingest_webhook.domain.body_signatures import (
    line_signature,
    verify_line,
    verify_meta,
    verify_shared_token,
    verify_x,
)
from ticket_intake.keyed_hmac import signing_keys
from ticket_intake.signatures import SignatureInvalid


class Verify(Protocol):
    def __call__(self, body: bytes, *, signature: bytes, keys: Sequence[HMAC]) -> None: ...


VECTORS = [
    # docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries: Meta's algorithm and spelling.
    pytest.param(
        verify_meta,
        b"It's a Secret to Everybody",
        b"Hello, World!",
        b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        id="meta",
    ),
    # line/line-bot-sdk-python, tests/v3/test_webhook.py
    pytest.param(
        verify_line,
        b"channel_secret",
        b"bodybodybodybody",
        b"/gg9a+LvFevTH1sd7XCQycD7tsWclCsInj7MhBHxN7k=",
        id="line",
    ),
    # gist.github.com/jcipriano (sample of Twitter's developer relations): a challenge is signed like a body.
    pytest.param(
        verify_x,
        b"z3ZX4v7mAAUGykl3EcmkqbartmuW8VFOOzCloLx9Q45P0hLrFu",
        b"9b4507b3-9040-4669-9ca3-6b94edb50553",
        b"sha256=Cytd4Sq+NvEcV3MMrXxWJGJx5A+y/lXzzU2Maartkx8=",
        id="x",
    ),
]
every_scheme = pytest.mark.parametrize(("verify", "secret", "body", "signature"), VECTORS)


@every_scheme
def test_the_published_vector_is_accepted(verify: Verify, secret: bytes, body: bytes, signature: bytes) -> None:
    verify(body, signature=signature, keys=signing_keys([secret]))


@every_scheme
def test_any_active_secret_will_do(verify: Verify, secret: bytes, body: bytes, signature: bytes) -> None:
    verify(body, signature=signature, keys=signing_keys([b"the next one", secret, b"the last one"]))


@every_scheme
@pytest.mark.parametrize(
    "spoil",
    [
        lambda body, signature: (body + b" ", signature),
        lambda body, signature: (body.replace(b"o", b"\\u006f"), signature[:-1]),
        lambda body, _: (body, b""),
        lambda body, signature: (body, signature.removeprefix(b"sha256=")[:-1]),
        lambda body, signature: (body, signature.swapcase()),
        lambda body, _: (body, "签名".encode()),
    ],
    ids=["body", "escaped", "none", "bare", "case", "not-ascii"],
)
def test_anything_changed_after_signing_is_refused(
    verify: Verify,
    secret: bytes,
    body: bytes,
    signature: bytes,
    spoil: Callable[[bytes, bytes], tuple[bytes, bytes]],
) -> None:
    changed, given = spoil(body, signature)
    with pytest.raises(SignatureInvalid):
        verify(changed, signature=given, keys=signing_keys([secret]))


@every_scheme
def test_without_a_secret_nothing_is_accepted(verify: Verify, secret: bytes, body: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify(body, signature=signature, keys=signing_keys([]))


def test_a_key_checks_one_body_after_another() -> None:
    keys = signing_keys([b"secret"])
    for body in (b"first", b"second", b"first"):
        verify_line(body, signature=line_signature(body, keys[0]), keys=keys)


def test_a_shared_token_is_the_same_or_refused() -> None:
    verify_shared_token(b"right", [b"next", b"right"])
    for given, tokens in ((b"wrong", [b"right"]), (b"", [b"right"]), (b"right", [])):
        with pytest.raises(SignatureInvalid):
            verify_shared_token(given, tokens)
