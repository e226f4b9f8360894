"""Feishu and Lark, "Encrypt Key" on open.feishu.cn: a signature over the raw body, an encrypted event inside it."""

import base64
import hashlib
import hmac
import re
import secrets as system_random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from ticket_intake.signatures import SecretMalformed

_BLOCK_BYTES = 16
_PADDING_BITS = 128
# Two of each source during a rotation.
_KEYS_IN_USE = 64
_VERIFICATION_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class FeishuKey:
    """Both secrets of an application's page "Encryption Strategy" (加密策略)."""

    encrypt_key: bytes
    verification_token: str


class NotEncrypted(ValueError):
    """Not encrypted with this key."""


def feishu_keys(secrets: Sequence[str]) -> tuple[FeishuKey, ...]:
    """Read `ENCRYPT_KEY:VERIFICATION_TOKEN`.

    :raises SecretMalformed:
    """
    return tuple(map(_feishu_key, secrets))


def feishu_signature(encrypt_key: bytes, timestamp: bytes, nonce: bytes, body: bytes) -> bytes:
    """Return 64 hex digits."""
    return hashlib.sha256(b"".join((timestamp, nonce, encrypt_key, body))).hexdigest().encode()


@lru_cache(1)  # asked for once to verify a request, once to open it
def signing_key(
    body: bytes, *, timestamp: bytes, nonce: bytes, signature: bytes, keys: tuple[FeishuKey, ...]
) -> FeishuKey | None:
    """Return the key that made the signature."""
    for key in keys:
        if hmac.compare_digest(feishu_signature(key.encrypt_key, timestamp, nonce, body), signature):
            return key
    return None


def decrypt_feishu(encrypted: str, encrypt_key: bytes) -> bytes:
    """Return the event.

    :raises NotEncrypted:
    """
    try:
        sealed = base64.b64decode(encrypted, validate=True)
        decryptor = Cipher(_aes(encrypt_key), modes.CBC(sealed[:_BLOCK_BYTES])).decryptor()
        padded = decryptor.update(sealed[_BLOCK_BYTES:]) + decryptor.finalize()
        unpadder = PKCS7(_PADDING_BITS).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise NotEncrypted from error


def encrypt_feishu(content: bytes, encrypt_key: bytes) -> str:
    """Return base64 of a random initialisation vector and the encrypted content, as Feishu sends it."""
    padder = PKCS7(_PADDING_BITS).padder()
    start = system_random.token_bytes(_BLOCK_BYTES)
    encryptor = Cipher(_aes(encrypt_key), modes.CBC(start)).encryptor()
    padded = padder.update(content) + padder.finalize()
    return base64.b64encode(start + encryptor.update(padded) + encryptor.finalize()).decode()


@lru_cache(_KEYS_IN_USE)
def _aes(encrypt_key: bytes) -> algorithms.AES:
    return algorithms.AES(hashlib.sha256(encrypt_key).digest())


def _feishu_key(secret: str) -> FeishuKey:
    encrypt_key, colon, token = secret.rpartition(":")
    if not colon:
        raise SecretMalformed(
            "has no colon: write ENCRYPT_KEY:VERIFICATION_TOKEN, both from 加密策略 (Encryption Strategy)"
        )
    if not encrypt_key:
        raise SecretMalformed("has no Encrypt Key before its colon: without one Feishu signs nothing")
    if not _VERIFICATION_TOKEN.fullmatch(token):
        raise SecretMalformed("has no Verification Token of 8 to 64 letters and digits after its last colon")
    return FeishuKey(encrypt_key.encode(), token)
