"""X: what is public by its link; what came in a direct message by a request signed with OAuth 1.0a (RFC 5849).

developer.x.com/en/docs/direct-messages/message-attachments/guides/retrieving-media: with an access token of the account
that received the message. Nothing is exchanged, each request is signed for itself.
"""

from functools import partial
from urllib.parse import urlsplit

from oauthlib.oauth1 import Client

from ingest_files.domain.hosts import AllowedHosts
from ingest_files.errors import GiveUp
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access, credentials_missing
from ticket_contracts.messages import RemoteFile

_PRIVATE = ("ton.twitter.com", "ton.x.com")
_HOSTS = AllowedHosts((*_PRIVATE, "twimg.com"))
CREDENTIALS = "API key:API key secret:access token:access token secret"


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:  # noqa: ARG001 - as all
    """Get the file. A token is `API key:API key secret:access token:access token secret`."""
    try:
        host = urlsplit(file.locator).hostname
    except ValueError as error:
        raise GiveUp("the link is malformed") from error
    if host not in _PRIVATE:
        return await client.get(file.locator, _HOSTS)
    if not token:
        raise credentials_missing("X", f"tokens: [{CREDENTIALS}]")
    return await client.get(file.locator, _HOSTS, sign=partial(_signed, token))


def is_credentials(token: str) -> bool:
    return len(parts := token.split(":")) == 4 and all(parts)


def _signed(token: str, url: str) -> dict[str, str]:
    """Return the header of one request: its nonce may come once with its timestamp (RFC 5849 §3.3)."""
    key, secret, access_token, access_secret = token.split(":")
    try:
        _, headers, _ = Client(key, secret, access_token, access_secret).sign(url)
    except ValueError as error:  # letters that no link has
        raise GiveUp("the link is malformed") from error
    return {"authorization": headers["Authorization"]}
