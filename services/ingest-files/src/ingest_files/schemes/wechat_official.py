"""WeChat 公众号: pictures by their link; the rest by media id for a stable access token, for three days.

developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken and …/api/material/temporary/api_getmedia. Asked
in normal mode, WeChat gives all who ask the same token, so other programs of the account keep theirs. Of a video it
tells a link, which names an address of its store and the store's name in the path; it is asked under the name.
"""

import re
from functools import partial
from urllib.parse import urlsplit

from ingest_files.access_tokens import AccessToken
from ingest_files.errors import GiveUp
from ingest_files.guarded_http import Answer, GuardedClient, by_tls
from ingest_files.schemes.scheme import Access, credentials_missing, words_of
from ingest_files.schemes.tencent import Platform
from ticket_contracts.messages import RemoteFile

_STORES = ("qpic.cn", "tc.qq.com")
_ADDRESS_OF_STORE = re.compile(r"http://[0-9.]+/(?=[a-z0-9-]+\.tc\.qq\.com/)")


async def exchange(client: GuardedClient, access: Access, secret: str) -> AccessToken:
    platform = _platform(client, access)
    secrets = {"grant_type": "client_credential", "appid": access.app_id, "secret": secret}
    url = f"{platform.base}/cgi-bin/stable_token"
    return platform.token_in(await client.call(url, platform.hosts, document=secrets))


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    stores = access.hosts(*_STORES)
    if "://" in file.locator:
        return await client.get(by_tls(file.locator, stores), stores)
    if not token:
        raise credentials_missing("WeChat", "app_id, secrets")
    platform = _platform(client, access)

    async def ask(access_token: str) -> Answer:
        return await platform.media(access_token, file.locator)

    answer = await access.keeper.use("WeChat", token, partial(exchange, client, access, token), ask)
    link = _video_link(answer)
    return answer if link is None else await client.get(by_tls(link, stores), stores)


def _platform(client: GuardedClient, access: Access) -> Platform:
    return Platform("WeChat", client, access.base("https://api.weixin.qq.com"), access.hosts("api.weixin.qq.com"))


def _video_link(answer: Answer) -> str | None:
    document = words_of(answer)
    if document is None or "video_url" not in document:
        return None
    link = document["video_url"]
    if not isinstance(link, str) or not urlsplit(link).netloc:
        raise GiveUp("WeChat answered without a link to the video")
    return _ADDRESS_OF_STORE.sub("http://", link)
