"""Feishu and Lark: a tenant's token for the application's secret, and the file by message and key.

open.feishu.cn/document/server-docs/authentication-management/access-token/tenant_access_token_internal and
…/uAjLw4CM/ukTMukTMukTM/reference/im-v1/message-resource/get. Codes of tokens: larksuite/oapi-sdk-go, core/constants.go.
Files above 100 MB, stickers and files inside cards and forwarded messages are not given out.
"""

import re
from functools import partial

from ingest_files.access_tokens import AccessToken, TokenOver
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import (
    Access,
    bearer,
    credentials_refused,
    number_of,
    read_json,
    refusal_of,
    token_of,
)
from ticket_contracts.messages import RemoteFile

_BASE = "https://open.feishu.cn"
_HOSTS = ("open.feishu.cn", "open.larksuite.com")
_LOCATOR = re.compile(r"[\w-]{1,64}/resources/[\w-]{1,200}\?type=(image|file)", re.ASCII)
_TOKEN_OVER = frozenset({99991663, 99991664, 99991671})
_TOO_OFTEN = 99991400  # under 429, and under 400 from older parts of Feishu
_CREDENTIALS = frozenset({10003, 10014})  # no such application, another secret


async def exchange(client: GuardedClient, access: Access, secret: str) -> AccessToken:
    url = f"{access.base(_BASE)}/open-apis/auth/v3/tenant_access_token/internal"
    secrets = {"app_id": access.app_id, "app_secret": secret}
    told = read_json(await client.call(url, access.hosts(*_HOSTS), document=secrets), "Feishu")
    if (code := number_of(told, "code")) in _CREDENTIALS:
        raise credentials_refused("Feishu", code)
    if code:
        raise TryLater(f"Feishu gives no access token ({code})")
    return token_of(told, "tenant_access_token", "expire")


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the file. Its locator is what follows `/im/v1/messages/`: `om_1/resources/img_1?type=image`."""
    if not _LOCATOR.fullmatch(file.locator):
        raise GiveUp("no key of Feishu")
    url = f"{access.base(_BASE)}/open-apis/im/v1/messages/{file.locator}"

    async def ask(access_token: str) -> Answer:
        # With this content type Feishu says by a `content-disposition` that it is a file.
        headers = bearer(access_token) | {"content-type": "application/json"}
        answer = await client.get(url, access.hosts(*_HOSTS), headers, told_refusals=True)
        refusal = refusal_of(answer, "code")
        if refusal is None:
            return answer
        code = number_of(refusal, "code")
        if code in _TOKEN_OVER:
            raise TokenOver
        if code == _TOO_OFTEN:
            raise TryLater("Feishu is asked too often")
        raise GiveUp(f"Feishu does not give out the file ({code or answer.status})")

    return await access.keeper.use("Feishu", token, partial(exchange, client, access, token), ask)
