"""WeCom and 微信客服: an access token for the application's secret, the file by its media id, for three days.

developer.work.weixin.qq.com/document/path/91039 (gettoken) and /90254 (media/get).
"""

from functools import partial
from urllib.parse import urlencode

from ingest_files.access_tokens import AccessToken
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import Access
from ingest_files.schemes.tencent import Platform
from ticket_contracts.messages import RemoteFile


async def exchange(client: GuardedClient, access: Access, secret: str) -> AccessToken:
    """`app_id` is the company's id; WeCom takes the secret in the address, and nowhere else."""
    platform = _platform(client, access)
    query = urlencode({"corpid": access.app_id, "corpsecret": secret})
    return platform.token_in(await client.call(f"{platform.base}/cgi-bin/gettoken?{query}", platform.hosts))


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    platform = _platform(client, access)

    async def ask(access_token: str) -> Answer:
        return await platform.media(access_token, file.locator)

    return await access.keeper.use("WeCom", token, partial(exchange, client, access, token), ask)


def _platform(client: GuardedClient, access: Access) -> Platform:
    return Platform("WeCom", client, access.base("https://qyapi.weixin.qq.com"), access.hosts("qyapi.weixin.qq.com"))
