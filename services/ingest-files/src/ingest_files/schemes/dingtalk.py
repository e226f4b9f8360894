"""DingTalk: an access token for the application's secret, a link for the download code, and the file without a token.

open.dingtalk.com/document/orgapp/obtain-the-access_token-of-an-internal-app and
…/download-the-file-content-of-the-robot-receiving-message. Codes: those pages, and …/restrictions-on-calling-apis.
The link leads to a store of Alibaba and is written with http, though the store speaks TLS.
"""

from functools import partial
from urllib.parse import parse_qs

from ingest_files.access_tokens import AccessToken, TokenOver
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient, by_tls
from ingest_files.schemes.scheme import Access, code_of, credentials_refused, read_json, text_of, token_of
from ticket_contracts.messages import RemoteFile

_BASE = "https://api.dingtalk.com"
_HOSTS = ("api.dingtalk.com",)
_STORES = ("dingtalk.com", "aliyuncs.com", "alicdn.com")


async def exchange(client: GuardedClient, access: Access, secret: str) -> AccessToken:
    url = f"{access.base(_BASE)}/v1.0/oauth2/accessToken"
    secrets = {"appKey": access.app_id, "appSecret": secret}
    answer = await client.call(url, access.hosts(*_HOSTS), document=secrets)
    told = read_json(answer, "DingTalk")
    if (code := code_of(told, "code")) == "invalidClientIdOrSecret":
        raise credentials_refused("DingTalk", code)
    if answer.status >= 400:
        raise TryLater(f"DingTalk gives no access token ({code})")
    return token_of(told, "accessToken", "expireIn")


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the file. Its locator is `code=…&robot=…`; without a robot it is the application itself."""
    values = {name: found[0] for name, found in parse_qs(file.locator).items()}
    wanted = {"downloadCode": values.get("code", ""), "robotCode": values.get("robot") or access.app_id}
    if not wanted["downloadCode"]:
        raise GiveUp("no download code of DingTalk")
    url = f"{access.base(_BASE)}/v1.0/robot/messageFiles/download"

    async def ask(access_token: str) -> Answer:
        headers = {"x-acs-dingtalk-access-token": access_token}
        answer = await client.call(url, access.hosts(*_HOSTS), headers, wanted)
        if answer.status < 400:
            return answer
        code = code_of(read_json(answer, "DingTalk"), "code")
        if answer.status == 401 or code == "InvalidAuthentication":
            raise TokenOver
        if "QpsLimit" in code:
            raise TryLater("DingTalk is asked too often")
        raise GiveUp(f"DingTalk does not give out the file ({code})")

    told = read_json(
        await access.keeper.use("DingTalk", token, partial(exchange, client, access, token), ask), "DingTalk"
    )
    stores = access.hosts(*_STORES)
    return await client.get(by_tls(text_of(told, "downloadUrl", "DingTalk"), stores), stores)
