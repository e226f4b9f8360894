"""The encrypted callback of WeCom, WeChat and DingTalk: developer.work.weixin.qq.com/document/path/91144.

The plain text is 16 random bytes, the length of the content in 4 bytes (big-endian), the content, and the id of whom
it is for. A signature alone would let a callback for another company of the same token pass, so that id is compared.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ticket_intake.signatures import SecretMalformed, SignatureInvalid
from ticket_intake.signed_time import check_signed_time
from ticket_intake.sorted_digest import matches_sorted_digest

RANDOM_BYTES = 16
_LENGTH_BYTES = 4
_BLOCK_BYTES = 16
# Padded to 32 bytes, twice the block of AES; PKCS7 of `cryptography` wants bits.
_PADDING_BITS = 256
# 32 bytes in base64, without the padding character that the platforms leave out.
_ENCODED_KEY = re.compile(r"[A-Za-z0-9+/]{43}")
_TOKEN = re.compile(r"[!-9;-~]{1,64}")


@dataclass(frozen=True, slots=True)
class CallbackKey:
    """What one registration of a callback address has agreed on: one to sign with, one to encrypt with."""

    token: bytes
    aes_key: bytes


class Envelope(NamedTuple):
    """An encrypted text (base64) and what is signed with it, all as they came."""

    signature: bytes
    timestamp: bytes
    nonce: bytes
    encrypted: bytes


class Opened(NamedTuple):
    """What an envelope held, and the key that opened it; an answer has to be sealed with the same."""

    content: bytes
    key: CallbackKey


def callback_keys(secrets: Sequence[str]) -> tuple[CallbackKey, ...]:
    """Read `TOKEN:ENCODING_AES_KEY`, one for each registration that is in use.

    :raises SecretMalformed:
    """
    return tuple(map(_callback_key, secrets))


def open_envelope(
    envelope: Envelope, keys: Sequence[CallbackKey], *, receiver_id: bytes, now: float, tolerance_seconds: float
) -> Opened:
    """Check signature and time, decrypt, and check for whom it is.

    :raises SignatureInvalid: or SignatureStale.
    """
    return _open(envelope, tuple(keys), receiver_id, now, tolerance_seconds)


@lru_cache(1)  # opened once to be verified, once to be understood
def _open(
    envelope: Envelope, keys: tuple[CallbackKey, ...], receiver_id: bytes, now: float, tolerance_seconds: float
) -> Opened:
    signature, timestamp, nonce, encrypted = envelope
    for key in keys:
        if matches_sorted_digest(signature, key.token, timestamp, nonce, encrypted):
            check_signed_time(timestamp, now, tolerance_seconds)
            return Opened(decrypt(encrypted, key.aes_key, receiver_id), key)
    raise SignatureInvalid


def decrypt(encrypted: bytes, aes_key: bytes, receiver_id: bytes) -> bytes:
    """Return the content.

    :raises SignatureInvalid: not encrypted with this key, or for somebody else.
    """
    try:
        cipher = _cipher(aes_key).decryptor()
        padded = cipher.update(base64.b64decode(encrypted, validate=True)) + cipher.finalize()
        unpadder = PKCS7(_PADDING_BITS).unpadder()
        plain = unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise SignatureInvalid from error
    start = RANDOM_BYTES + _LENGTH_BYTES
    end = start + int.from_bytes(plain[RANDOM_BYTES:start])
    if not hmac.compare_digest(plain[end:], receiver_id):
        raise SignatureInvalid
    return plain[start:end]


def encrypt(content: bytes, aes_key: bytes, receiver_id: bytes, random: bytes) -> bytes:
    """Return base64 of the encrypted content.

    :param random: RANDOM_BYTES that nobody can guess.
    """
    padder = PKCS7(_PADDING_BITS).padder()
    plain = b"".join((random, len(content).to_bytes(_LENGTH_BYTES), content, receiver_id))
    cipher = _cipher(aes_key).encryptor()
    return base64.b64encode(cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize())


@lru_cache(64)  # of the few registrations of a sources file; making one costs as much as using it
def _cipher(aes_key: bytes) -> "Cipher[modes.CBC]":
    return Cipher(algorithms.AES(aes_key), modes.CBC(aes_key[:_BLOCK_BYTES]))


def _callback_key(secret: str) -> CallbackKey:
    token, colon, encoded = secret.partition(":")
    if not colon:
        raise SecretMalformed("has no colon: write TOKEN:ENCODING_AES_KEY, both as on the platform's page")
    if not _TOKEN.fullmatch(token):
        raise SecretMalformed("has no token of 1 to 64 characters before its colon")
    if not _ENCODED_KEY.fullmatch(encoded):
        raise SecretMalformed("has no EncodingAESKey of 43 letters and digits after its colon")
    return CallbackKey(token.encode(), base64.b64decode(encoded + "="))
