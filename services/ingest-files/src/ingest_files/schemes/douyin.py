"""Douyin: emoji by their link; pictures and videos from the customer's own album by a link for the application's token.

developer.open-douyin.com/docs/resource/zh-CN/dop/develop/openapi/account-permission/client-token and
…/openapi/search-management/business-tool/get-message-resources: for half a year, with the scope im.multimedia_message.
What the store's host is, and which kind of access token is meant, those pages leave open; see docs/channels/douyin.md.
Asked again, Douyin ends the token before, so one keeper for each source.
"""

from urllib.parse import parse_qs, urlencode

from ingest_files.access_tokens import AccessToken, TokenOver
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient, by_tls
from ingest_files.schemes.scheme import (
    Access,
    credentials_missing,
    credentials_refused,
    number_of,
    read_json,
    text_of,
    token_of,
)
from ticket_contracts.messages import RemoteFile

_STORES = ("douyin.com", "douyinpic.com", "douyinvod.com", "byteimg.com", "zijieapi.com", "snssdk.com", "zjcdn.com")
_TOKEN_OVER = frozenset({28001003, 28001008})
_LATER = frozenset({28001005, 28001006, 28029014})  # busy, a network call of theirs, the link could not be signed
_CREDENTIALS = frozenset({10003, 10013})


async def fetch(client: GuardedClient, access: Access, token: str, file: RemoteFile) -> Answer:
    """Get the file. Its locator is a link, or `account=…&conversation=…&message=…` with Douyin's ids."""
    stores = access.hosts(*_STORES)
    if "://" in file.locator:
        return await client.get(by_tls(file.locator, stores), stores)
    if not token:
        raise credentials_missing("Douyin", "app_id, secrets")
    ids = {name: found[0] for name, found in parse_qs(file.locator).items()}
    account = ids.get("account", "")
    base, hosts = access.base("https://open.douyin.com"), access.hosts("open.douyin.com")
    used = ""

    async def exchange() -> AccessToken:
        secrets = {"grant_type": "client_credential", "client_key": access.app_id, "client_secret": token}
        told = read_json(await client.call(f"{base}/oauth/client_token/", hosts, document=secrets), "Douyin")
        data = _data(told)
        if (code := number_of(data, "error_code")) in _CREDENTIALS:
            raise credentials_refused("Douyin", code)
        if code:
            raise TryLater(f"Douyin gives no access token ({code})")
        return token_of(data, "access_token", "expires_in")

    async def ask(access_token: str) -> Answer:
        nonlocal used
        used = access_token
        query = {"open_id": account, "conversation_id": ids.get("conversation"), "message_id": ids.get("message")}
        headers = {"access-token": access_token, "content-type": "application/json"}
        url = f"{base}/api/im/message/resources/?{urlencode(query)}"
        answer = await client.call(url, hosts, headers)
        code = number_of(read_json(answer, "Douyin"), "err_no")
        if code in _TOKEN_OVER:
            raise TokenOver
        if code in _LATER:
            raise TryLater(f"Douyin asks to come later ({code})")
        if code or answer.status >= 400:
            raise GiveUp(f"Douyin does not give out the file ({code or answer.status})")
        return answer

    told = read_json(await access.keeper.use("Douyin", token, exchange, ask), "Douyin")
    link = by_tls(text_of(_data(told), "url", "Douyin").replace("\\u0026", "&"), stores)
    return await client.get(link, stores, {"access-token": used, "openid": account})


def _data(told: dict[str, object]) -> dict[str, object]:
    data = told.get("data")
    return data if isinstance(data, dict) else {}
