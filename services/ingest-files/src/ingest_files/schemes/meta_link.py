"""Messenger and Instagram: signed links to Meta's own store, that want no token and end after some days.

developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events
"""

from ingest_files.domain.hosts import AllowedHosts
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access
from ticket_contracts.messages import RemoteFile


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:  # noqa: ARG001 - as all
    return await client.get(file.locator, AllowedHosts(("fbsbx.com", "fbcdn.net", "cdninstagram.com")))
