"""WhatsApp Cloud API: a media id gives a link for five minutes, and the link wants the same token.

developers.facebook.com/documentation/business-messaging/whatsapp/business-phone-numbers/media
"""

from hashlib import sha256
from urllib.parse import quote

from ingest_files.errors import TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access, bearer, read_json, text_of
from ticket_contracts.messages import RemoteFile

GRAPH = "https://graph.facebook.com/v23.0"


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    hosts = access.hosts("graph.facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net")
    about = read_json(
        await client.get(f"{access.base(GRAPH)}/{quote(file.locator, safe='')}", hosts, bearer(token)), "WhatsApp"
    )
    answer = await client.get(text_of(about, "url", "WhatsApp"), hosts, bearer(token))
    told = about.get("sha256")
    if isinstance(told, str) and told.lower() != sha256(answer.body).hexdigest():
        raise TryLater("the content is not the one that WhatsApp announced")
    return answer
