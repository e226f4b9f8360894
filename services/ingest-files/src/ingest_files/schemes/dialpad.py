"""Dialpad: recordings by their link for an API key; developers.dialpad.com/docs/downloading-call-recordings.

The key needs the scope `recordings_export`. Without it Dialpad leads to the page where people log in.
"""

from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.recordings import checked_recording
from ingest_files.schemes.scheme import Access, bearer
from ticket_contracts.messages import RemoteFile


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the recording. A token is an API key, the locator the link without its query."""
    answer = await client.get(file.locator, access.hosts("dialpad.com"), bearer(token), told_refusals=True)
    return checked_recording(answer, "Dialpad", "an API key with the scope recordings_export")
