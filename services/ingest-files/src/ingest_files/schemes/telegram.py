"""Telegram: core.telegram.org/bots/api#getfile; the token stands in the path. Files above 20 MB are not given out."""

from urllib.parse import quote, urlencode

from ingest_files.errors import GiveUp
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access, read_json, text_of
from ticket_contracts.messages import RemoteFile


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    base, hosts = access.base("https://api.telegram.org"), access.hosts("api.telegram.org")
    asked = await client.get(
        f"{base}/bot{quote(token, safe=':')}/getFile?{urlencode({'file_id': file.locator})}", hosts
    )
    result = read_json(asked, "Telegram").get("result")
    if not isinstance(result, dict):
        raise GiveUp("Telegram does not give out this file")
    path = text_of(result, "file_path", "Telegram")
    return await client.get(f"{base}/file/bot{quote(token, safe=':')}/{quote(path)}", hosts)
