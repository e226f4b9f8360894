"""What a token can be asked that gives no file: who it is. `firebreak sources check` asks it."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol
from urllib.parse import quote

from ingest_files.access_tokens import AccessToken, checked
from ingest_files.errors import GiveUp, NoQuestion
from ingest_files.guarded_http import GuardedClient
from ingest_files.schemes import connect_records, dingtalk, feishu, freeswitch, wechat_official, wecom
from ingest_files.schemes.scheme import Access, bearer, read_json
from ingest_files.schemes.whatsapp import GRAPH


class AskWho(Protocol):
    """One provider's question."""

    async def __call__(self, client: GuardedClient, access: Access, token: str, /) -> None:
        """Return when the token is good.

        :raises GiveUp: it is not. :raises TryLater: nobody can tell now.
        """
        ...


async def slack(client: GuardedClient, access: Access, token: str) -> None:
    """docs.slack.dev/reference/methods/auth.test: 200 in any case."""
    url = f"{access.base('https://slack.com/api')}/auth.test"
    answer = read_json(await client.get(url, access.hosts("slack.com"), bearer(token)), "Slack")
    if answer.get("ok") is not True:
        raise GiveUp(f"Slack answers {str(answer.get('error', ''))[:60]}")


async def telegram(client: GuardedClient, access: Access, token: str) -> None:
    """core.telegram.org/bots/api#getme"""
    base = access.base("https://api.telegram.org")
    await client.get(f"{base}/bot{quote(token, safe=':')}/getMe", access.hosts("api.telegram.org"))


async def whatsapp(client: GuardedClient, access: Access, token: str) -> None:
    """developers.facebook.com/docs/graph-api/reference/user: `me` is whoever the token is of."""
    await client.get(f"{access.base(GRAPH)}/me?fields=id", access.hosts("graph.facebook.com"), bearer(token))


async def line(client: GuardedClient, access: Access, token: str) -> None:
    """developers.line.biz/en/reference/messaging-api/#get-bot-info"""
    url = f"{access.base('https://api.line.me')}/v2/bot/info"
    await client.get(url, access.hosts("api.line.me"), bearer(token))


async def twilio(client: GuardedClient, access: Access, token: str) -> None:
    """twilio.com/docs/iam/api/account: the account may ask for itself, an API key may not.

    :raises NoQuestion: the token is an API key.
    """
    account = token.partition(":")[0]
    if not account.startswith("AC"):
        raise NoQuestion("an API key of Twilio's may fetch files, and is not told who it is")
    credentials = b64encode(token.encode()).decode()
    url = f"{access.base('https://api.twilio.com')}/2010-04-01/Accounts/{quote(account, safe='')}.json"
    await client.get(url, access.hosts("api.twilio.com"), {"authorization": f"Basic {credentials}"})


async def douyin(_: GuardedClient, __: Access, ___: str) -> None:
    """Nothing is asked.

    :raises NoQuestion: asked for another token, Douyin ends the one that ingest-files uses.
    """
    raise NoQuestion("asked for a token, Douyin ends the one in use")


def _exchanged(provider: str, exchange: Callable[[GuardedClient, Access, str], Awaitable[AccessToken]]) -> AskWho:
    """Ask for an access token: the others give the one in use, or let it live."""

    async def ask(client: GuardedClient, access: Access, token: str) -> None:
        checked(await exchange(client, access, token), provider)

    return ask


QUESTIONS: Mapping[str, AskWho] = {
    "slack": slack,
    "telegram": telegram,
    "whatsapp": whatsapp,
    "line": line,
    "twilio-sms": twilio,
    "feishu": _exchanged("Feishu", feishu.exchange),
    "dingtalk": _exchanged("DingTalk", dingtalk.exchange),
    "wecom": _exchanged("WeCom", wecom.exchange),
    "wecom-service": _exchanged("WeCom", wecom.exchange),
    "wechat-official": _exchanged("WeChat", wechat_official.exchange),
    "douyin": douyin,
    "freeswitch": freeswitch.ask,
    "connect-records": connect_records.ask,
}
"""By the providers' names in the sources file."""
