"""A GitHub repository whose webhook tells of issues and comments."""

import hmac
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.support.partners.signed_request import OVERSIZED_BYTES, SignedRequest, Way

CUSTOMER = {"id": 583231, "login": "octocat", "type": "User"}


@dataclass
class GitHubSender:
    """Ids come from a counter; each delivery has its own `X-GitHub-Delivery`, which a redelivery keeps."""

    secret: str
    next_secret: str = "the-next-secret-of-the-webhook"
    repository: int = 1_296_269
    private: bool = False
    _numbers: "count[int]" = field(default_factory=lambda: count(1))
    _last: SignedRequest | None = None

    def issue(
        self, title: str, body: str | None = "", way: Way = Way.GOOD, *, action: str = "opened", **issue: Any
    ) -> SignedRequest:
        """Somebody opens an issue; `issue` adds to or replaces its fields."""
        return self._tell("issues", {"action": action, "issue": self._issue(title, body) | issue}, way)

    def comment(
        self,
        text: str,
        way: Way = Way.GOOD,
        *,
        action: str = "created",
        issue: dict[str, Any] | None = None,
        **comment: Any,
    ) -> SignedRequest:
        """Somebody comments on issue 7; `comment` and `issue` add to or replace their fields."""
        said = {**self._written(text), **comment}
        document = {
            "action": action,
            "issue": self._issue("Crash", "") | {"number": 7} | (issue or {}),
            "comment": said,
        }
        return self._tell("issue_comment", document, way)

    def event(self, name: str, body: bytes, way: Way = Way.GOOD) -> SignedRequest:
        """Anything GitHub sends."""
        secret = {Way.FORGED: "guessed", Way.ROTATED: self.next_secret}.get(way, self.secret)
        headers = {
            "content-type": "application/json",
            "user-agent": "GitHub-Hookshot/1a2b3c4",
            "x-github-event": name,
            "x-github-delivery": f"72d3162e-cc78-11e3-81ab-{next(self._numbers):012x}",
            "x-hub-signature-256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex(),
        }
        return SignedRequest(headers, body)

    def _tell(self, name: str, document: dict[str, Any], way: Way) -> SignedRequest:
        if way is Way.REPEATED:
            assert self._last is not None, "nothing was sent that could be repeated"
            return self._last
        if way is Way.UNKNOWN_TYPE:
            document["action"] = "labeled"
        if way is Way.OVERSIZED:
            document["issue"]["body"] = "x" * OVERSIZED_BYTES
        if way is Way.MALFORMED:
            document["issue"]["number"] = "seven"
        document |= {"repository": {"id": self.repository, "full_name": "acme/shop", "private": self.private}}
        self._last = self.event(name, json.dumps(document).encode(), way)
        return self._last

    def _issue(self, title: str, body: str | None) -> dict[str, Any]:
        return {**self._written(body), "number": next(self._numbers), "title": title}

    def _written(self, body: str | None) -> dict[str, Any]:
        stamps = {"created_at": "2026-11-23T11:00:00Z", "updated_at": "2026-11-23T11:00:00Z"}
        return {"id": next(self._numbers), "user": CUSTOMER, "body": body, **stamps}
