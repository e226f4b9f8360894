"""Twilio: twilio.com/docs/messaging/api/media-resource. The link redirects to a store that wants no credentials."""

from base64 import b64encode

from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access
from ticket_contracts.messages import RemoteFile


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the file. A token is `account SID:auth token` or `API key SID:secret`."""
    hosts = access.hosts("api.twilio.com", "twiliocdn.com", "s3-external-1.amazonaws.com")
    credentials = b64encode(token.encode()).decode()
    return await client.get(file.locator, hosts, {"authorization": f"Basic {credentials}"})
