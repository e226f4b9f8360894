"""The digest that Tencent, Sina and Alibaba share: SHA-1 over the secret and what is signed, sorted and joined."""

import hashlib
import hmac


def sorted_digest(*parts: bytes) -> bytes:
    """Return 40 hex digits."""
    return hashlib.sha1(b"".join(sorted(parts))).hexdigest().encode()  # noqa: S324 - the platforms offer no other


def matches_sorted_digest(signature: bytes, *parts: bytes) -> bool:
    return hmac.compare_digest(sorted_digest(*parts), signature)
