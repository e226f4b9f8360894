"""WeCom's side of 微信客服: the API that is asked (an ASGI app), with switches for its bad days."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

SECRET = "the-secret-of-the-application"
CORPORATION = "ww49f0ab532d5d035a"
ACCOUNT = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
CUSTOMER = "wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw"


@dataclass
class WecomServiceApi:
    """Gives out messages by cursor, `page_size` at a time; `calls` are the bodies that `sync_msg` was asked with."""

    page_size: int = 2
    messages: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    tokens_given: int = 0
    token_is_over: bool = False  # the access token that was given last is no longer taken
    busy: int = 0  # calls that are still answered with `45033`
    refuses_callback_token: bool = False
    refused_account: str = ""  # deleted at WeCom
    empty_page_first: bool = False  # has_more with nothing in it, which the documentation announces

    def say(self, message_id: str, text: str = "退款多久到账？", **changes: Any) -> None:
        """A customer writes; `changes` replace fields of the entry."""
        entry = {
            "msgid": message_id, "open_kfid": ACCOUNT, "external_userid": CUSTOMER, "send_time": 1795690800,
            "origin": 3, "servicer_userid": "", "msgtype": "text", "text": {"content": text, "menu_id": ""},
        }  # fmt: skip
        self.messages.append(entry | changes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        body = (await receive()).get("body", b"")
        if scope["path"] == "/cgi-bin/gettoken":
            answer = self._give_token(query)
        else:
            answer = self._sync(query["access_token"], json.loads(body))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(answer, ensure_ascii=False).encode()})

    def _give_token(self, query: dict[str, str]) -> dict[str, Any]:
        if (query["corpid"], query["corpsecret"]) != (CORPORATION, SECRET):
            words = "invalid credential, hint: [1645025097593810238423219], from ip: 49.74.77.205"
            return {"errcode": 40001, "errmsg": words}
        self.tokens_given += 1
        self.token_is_over = False
        return {"errcode": 0, "errmsg": "ok", "access_token": f"token-{self.tokens_given}", "expires_in": 7200}

    def _sync(self, access_token: str, body: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(body)
        if self.token_is_over or access_token != f"token-{self.tokens_given}":
            return {"errcode": 42001, "errmsg": "access_token expired"}
        if self.busy:
            self.busy -= 1
            return {"errcode": 45033, "errmsg": "api concurrent out of limit"}
        if body["open_kfid"] == self.refused_account:
            return {"errcode": 95000, "errmsg": "invalid open_kfid"}
        if self.refuses_callback_token and "token" in body:
            return {"errcode": 95007, "errmsg": "invalid msg token"}
        if self.empty_page_first:
            self.empty_page_first = False
            return {"errcode": 0, "errmsg": "ok", "next_cursor": "0:empty", "has_more": 1, "msg_list": []}
        start = int(body.get("cursor", "0").partition(":")[0])
        wanted = [entry for entry in self.messages if entry["open_kfid"] == body["open_kfid"]]
        end = min(start + self.page_size, len(wanted))
        has_more = int(end < len(wanted))
        return {
            "errcode": 0,
            "errmsg": "ok",
            "next_cursor": f"{end}:x",
            "has_more": has_more,
            "msg_list": wanted[start:end],
        }
