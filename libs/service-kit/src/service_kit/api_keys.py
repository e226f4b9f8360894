"""API keys: `fb_`, 30 base62 characters of randomness, 6 of checksum.

The prefix lets secret scanners (and our own log redaction) find a leaked key; the checksum lets them, and us, drop a
mistyped or invented one without asking the database. After GitHub's token format:
https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats
"""

import hashlib
import hmac
import secrets
import string
import zlib
from collections.abc import Callable

PREFIX = "fb_"
RANDOM_BYTES = 22  # 176 bits: the most whole bytes that 30 base62 characters (178.6 bits) can hold
RANDOM_LENGTH = 30
CHECKSUM_LENGTH = 6  # 62**6 > 2**32
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


def generate(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """A new key. Show it to its owner once and keep only `hash_key` of it."""
    payload = PREFIX + _base62(int.from_bytes(random_bytes(RANDOM_BYTES)), RANDOM_LENGTH)
    return payload + _checksum(payload)


def verify_checksum(key: str) -> bool:
    """Whether this can be one of our keys at all. Says nothing about whether it was ever issued."""
    payload, checksum = key[:-CHECKSUM_LENGTH], key[-CHECKSUM_LENGTH:]
    well_formed = len(payload) == len(PREFIX) + RANDOM_LENGTH and payload.startswith(PREFIX) and key.isascii()
    return well_formed and hmac.compare_digest(_checksum(payload), checksum)


def hash_key(key: str) -> bytes:
    """What is stored: 32 bytes of SHA-256.

    Slow hashes such as argon2 protect what people choose and others can guess. Nobody guesses 176 random bits, so a
    slow hash would only make each request slow, and a salt would make the look-up by hash impossible.
    """
    return hashlib.sha256(key.encode()).digest()


def matches(key: str, stored_hash: bytes) -> bool:
    """Compared in constant time, so that the time of an answer tells nothing about the stored hash."""
    return hmac.compare_digest(hash_key(key), stored_hash)


def _checksum(payload: str) -> str:
    return _base62(zlib.crc32(payload.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    characters = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))
