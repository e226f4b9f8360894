"""The two calls of WeCom's API that 微信客服 needs: an access token, kept for as long as it holds, and `sync_msg`."""

from collections.abc import Callable
from typing import Any

import httpx
from pydantic import ValidationError

from ingest_pull.domain.wecom_service import Page

# developer.work.weixin.qq.com/document/path/90313: 40014 is no access token, 42001 has expired. 41001 is missing.
_TOKEN_OVER = frozenset({40014, 41001, 42001})
# -1: the system is busy. 45009 and 45033: called too often, or too many calls at once.
_LATER = frozenset({-1, 45009, 45033})
_SAFETY_SECONDS = 300  # a token is renewed so long before its end (7,200 s), for clocks and calls under way
PAGE_LIMIT = 1000  # most of one call
_CALL_SECONDS = 15.0


class ApiRefused(Exception):
    """WeCom says no, and will again: the configuration is wrong. The message holds no secret."""


class ApiBusy(OSError):
    """WeCom does not answer, or asks to come later."""


class WecomApi:
    """One application of a corporation. `monotonic` is a clock in seconds."""

    def __init__(
        self, client: httpx.AsyncClient, base: str, corporation: str, secret: str, monotonic: Callable[[], float]
    ) -> None:
        self.client = client
        self._base = base.rstrip("/")
        self._corporation = corporation
        self._secret = secret
        self._monotonic = monotonic
        self._token = ""
        self._token_until = 0.0

    async def log_in(self) -> None:
        """See that the secret is taken.

        :raises ApiBusy, ApiRefused:
        """
        await self._access_token()

    async def sync(self, account: str, cursor: str, callback_token: str) -> Page:
        """Read the next page of an account.

        :param callback_token: of the newest callback, holds ten minutes; empty: WeCom allows few calls without one.
        :raises ApiBusy, ApiRefused:
        """
        body: dict[str, Any] = {"limit": PAGE_LIMIT, "open_kfid": account}
        body |= {name: value for name, value in (("cursor", cursor), ("token", callback_token)) if value}
        page = await self._sync(body)
        if page.errcode in _TOKEN_OVER:
            self._token = ""  # it may be over before its time: another process of ours asked for one
            page = await self._sync(body)
        elif page.errcode and callback_token and page.errcode not in _LATER:
            page = await self._sync({name: value for name, value in body.items() if name != "token"})
        _check(page.errcode, page.errmsg, f"sync_msg of {account}")
        return page

    async def _sync(self, body: dict[str, Any]) -> Page:
        token = await self._access_token()
        answer = await self._call("POST", "/cgi-bin/kf/sync_msg", params={"access_token": token}, json=body)
        try:
            return Page.model_validate(answer)
        except ValidationError as error:
            places = ", ".join(".".join(map(str, detail["loc"])) for detail in error.errors(include_input=False))
            raise ApiRefused(f"sync_msg answers what is not documented: {places}") from None

    async def _access_token(self) -> str:
        if not self._token or self._monotonic() >= self._token_until:
            parameters = {"corpid": self._corporation, "corpsecret": self._secret}
            answer = await self._call("GET", "/cgi-bin/gettoken", params=parameters)
            _check(int(answer.get("errcode", 0)), str(answer.get("errmsg", "")), "gettoken")
            self._token = str(answer.get("access_token", ""))
            self._token_until = self._monotonic() + int(answer.get("expires_in", 0)) - _SAFETY_SECONDS
        return self._token

    async def _call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """Errors are told without the address: its parameters are secrets."""
        try:
            response = await self.client.request(method, self._base + path, timeout=_CALL_SECONDS, **how)
        except httpx.HTTPError as error:
            raise ApiBusy(f"{path}: {type(error).__name__}") from None
        if response.status_code != httpx.codes.OK:
            raise ApiBusy(f"{path} answers {response.status_code}")
        try:
            answer = response.json()
        except ValueError:
            raise ApiBusy(f"{path} answers no JSON") from None
        if not isinstance(answer, dict):
            raise ApiBusy(f"{path} answers no JSON object")
        return answer


def _check(code: int, words: str, call: str) -> None:
    if code in _LATER or code in _TOKEN_OVER:
        raise ApiBusy(f"{call}: {code}")
    if code:
        reason = words.split(",")[0][:200]  # what follows is a hint with addresses
        raise ApiRefused(f"{call}: {code} {reason}")
