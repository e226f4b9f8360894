"""What WeCom and WeChat have in common: `cgi-bin`, its codes under HTTP 200, and files by media id.

developer.work.weixin.qq.com/document/path/90313 and
developers.weixin.qq.com/doc/service/api/material/temporary/api_getmedia.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from ingest_files.access_tokens import AccessToken, TokenOver
from ingest_files.domain.hosts import AllowedHosts
from ingest_files.errors import GiveUp, TryLater
from ingest_files.guarded_http import Answer, GuardedClient
from ingest_files.schemes.scheme import credentials_refused, number_of, read_json, refusal_of, token_of

# Not the newest one, none at all, over.
_TOKEN_OVER = frozenset({40001, 40014, 41001, 42001})
# The system is busy; asked too often today, this minute, at once.
_LATER = frozenset({-1, 45009, 45011, 45033})
# Of the exchange: another secret, no such id, a frozen secret, another company's secret.
_CREDENTIALS = frozenset({40001, 40013, 40091, 40125, 40243})
# Our address is not on the list that the administrator keeps: WeChat's IP 白名单, WeCom's 企业可信 IP.
_ADDRESS = frozenset({40164, 60020})
_ONLY_IN_PARTS = 830002  # WeCom gives files of more than 20 MB in parts
_NO_RIGHT = 48001


@dataclass(frozen=True, slots=True)
class Platform:
    """`name` is for agents."""

    name: str
    client: GuardedClient
    base: str
    hosts: AllowedHosts

    def token_in(self, answer: Answer) -> AccessToken:
        """Read the answer of the exchange.

        :raises GiveUp: the administrator has to do something.
        :raises TryLater:
        """
        told = read_json(answer, self.name)
        if (code := number_of(told, "errcode")) in _CREDENTIALS:
            raise credentials_refused(self.name, code)
        if code in _ADDRESS:
            raise GiveUp(
                f"{self.name} does not know our address ({code}): put it on the list of trusted addresses "
                f"（请把服务器出口 IP 加入白名单或企业可信 IP）"
            )
        if code:
            raise TryLater(f"{self.name} gives no access token ({code})")
        return token_of(told, "access_token", "expires_in")

    async def media(self, access_token: str, media_id: str) -> Answer:
        """Get a file, or what WeChat says instead of a video.

        :raises TokenOver: or GiveUp, TryLater.
        """
        query = urlencode({"access_token": access_token, "media_id": media_id})
        answer = await self.client.get(f"{self.base}/cgi-bin/media/get?{query}", self.hosts, told_refusals=True)
        refusal = refusal_of(answer, "errcode")
        if refusal is None:
            return answer
        code = number_of(refusal, "errcode")
        if code in _TOKEN_OVER:
            raise TokenOver
        if code in _LATER:
            raise TryLater(f"{self.name} asks to come later ({code})")
        if code == _ONLY_IN_PARTS:
            raise GiveUp(f"larger than {self.name} gives out at once (20 MB)")
        if code == _NO_RIGHT:
            raise GiveUp(f"{self.name} gives the account no right to this interface ({code}): it has to be verified")
        raise GiveUp(f"{self.name} does not give out the file ({code or answer.status})")
