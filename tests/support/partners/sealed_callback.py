"""Encrypting and signing as WeCom, WeChat and DingTalk do, written from their pages and not from our code."""

import base64
from hashlib import sha1

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# A sender takes 16 random bytes; fixed ones make a test repeat itself exactly.
RANDOM = b"0123456789abcdef"


def seal(content: bytes, encoded_key: str, receiver_id: str) -> str:
    """Return the base64 text that goes into `Encrypt`."""
    key = base64.b64decode(encoded_key + "=")
    plain = RANDOM + len(content).to_bytes(4, "big") + content + receiver_id.encode()
    padding = 32 - len(plain) % 32
    cipher = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(cipher.update(plain + bytes([padding]) * padding) + cipher.finalize()).decode()


def signature_of(*parts: str) -> str:
    return sha1("".join(sorted(parts)).encode()).hexdigest()
