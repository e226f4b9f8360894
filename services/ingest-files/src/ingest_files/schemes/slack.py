"""Slack: docs.slack.dev/reference/objects/file-object, `url_private_download` by a token with `files:read`."""

from ingest_files.errors import GiveUp
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access, bearer
from ticket_contracts.messages import RemoteFile


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the file; without the scope Slack answers 200 with its login page."""
    answer = await client.get(file.locator, access.hosts("slack.com"), bearer(token))
    if answer.media_type.startswith("text/html") and not file.media_type.startswith("text/html"):
        raise GiveUp("Slack shows its login page: the token lacks the scope files:read")
    return answer
