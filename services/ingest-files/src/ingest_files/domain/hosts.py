"""Where a source's files may come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """`suffixes` are a provider's own domains; `trusted` origins were written into the sources file by an operator, who
    may mean a server of the own network (Telegram's local Bot API server)."""

    suffixes: tuple[str, ...]
    trusted: frozenset[tuple[str, str, int]] = frozenset()

    def trusts(self, url: SplitResult) -> bool:
        return _origin(url) in self.trusted

    def allow(self, url: SplitResult) -> bool:
        """Whether a request may go there at all, wherever the name resolves to."""
        if self.trusts(url):
            return True
        host = (url.hostname or "").rstrip(".").lower()
        plain = url.username is None and url.password is None
        return plain and url.scheme == "https" and url.port in (None, 443) and _is_of(host, self.suffixes)


def origin_of(url: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port."""
    return _origin(url)


def _origin(url: SplitResult) -> tuple[str, str, int]:
    return url.scheme, (url.hostname or "").lower(), url.port or (443 if url.scheme == "https" else 80)


def _is_of(host: str, suffixes: Iterable[str]) -> bool:
    return any(host == suffix or host.endswith(f".{suffix}") for suffix in suffixes)
