"""LINE: developers.line.biz/en/reference/messaging-api/#get-content. While LINE prepares a video it answers 202."""

from urllib.parse import quote

from ingest_files.domain.hosts import AllowedHosts
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access, bearer
from ticket_contracts.messages import RemoteFile

_HOSTS = ("api-data.line.me",)


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the content of the message that is the file. A third party's address is refused by the allow-list.

    Such an address is the customer's choice: the server that the operator trusts is not asked for it either.
    """
    if "://" in file.locator:
        return await client.get(file.locator, AllowedHosts(_HOSTS))
    hosts = access.hosts(*_HOSTS)
    base = access.base("https://api-data.line.me")
    return await client.get(f"{base}/v2/bot/message/{quote(file.locator, safe='')}/content", hosts, bearer(token))
