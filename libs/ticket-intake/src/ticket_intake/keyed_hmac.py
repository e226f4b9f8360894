"""HMAC (RFC 2104) with what follows from the secret worked out once: on a short body that is half of the work."""

from collections.abc import Callable, Mapping, Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

# SHA-1 stands here for senders that have nothing else; as HMAC's hash it is not broken.
_HASHES: Mapping[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def signing_keys(secrets: Sequence[bytes], algorithm: str = "sha256") -> tuple[HMAC, ...]:
    """Make secrets ready to sign or check with.

    :param algorithm: sha1, sha256, sha384 or sha512.
    """
    return tuple(HMAC(secret, _HASHES[algorithm]()) for secret in secrets)


def keyed_digest(key: HMAC, content: bytes) -> bytes:
    """Return what `hmac.digest` returns. The key is copied, so it can be used as often as wanted."""
    signing = key.copy()
    signing.update(content)
    return signing.finalize()
