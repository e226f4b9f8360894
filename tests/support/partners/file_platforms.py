"""Platforms that give out files for an access token, and the token for a secret, each as its own pages say.

Each is a function of a request, so it answers in a test's own process; `serving` puts one behind a socket.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx

PRIVATE = "http://169.254.169.254/latest/meta-data/"
CONTENT = b"\x89PNG and so on"


@dataclass
class FilePlatform:
    """`files` has contents by id, `given` the tokens in the order in which they were given. The rest makes it wrong."""

    files: dict[str, bytes] = field(default_factory=lambda: {"one": CONTENT})
    app_id: str = "app-1"
    secret: str = "s3cret-of-the-application"
    lifetime_seconds: int = 7200
    given: list[str] = field(default_factory=list)
    exchanges: int = 0
    takes_tokens: bool = True  # else every token that it gave is over
    too_often: bool = False
    token_answer: httpx.Response | None = None  # instead of a token
    file_answer: httpx.Response | None = None  # instead of the file
    hosts: list[str] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    base: str = ""  # where links lead; empty: to the platform's own names
    schemes: list[str] = field(default_factory=list)

    host: ClassVar[str]
    api: ClassVar[str] = ""  # what has to be written as `files.api`, where there is no usual one

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(request.headers["host"])
        self.schemes.append(request.url.scheme)
        answer = self.answer(request)
        return httpx.Response(404) if answer is None else answer

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        """Return None for an address that the platform does not have."""
        raise NotImplementedError

    def end_tokens(self) -> None:
        """Take back all that were given, before their time."""
        self.valid.clear()

    def exchange(self, app_id: object, secret: object) -> str | httpx.Response | None:
        """Return a token, what is to be said instead, or None where the credentials are wrong."""
        self.exchanges += 1
        if self.token_answer is not None:
            return self.token_answer
        if (app_id, secret) != (self.app_id, self.secret):
            return None
        token = f"access-token-{len(self.given)}-of-the-platform"
        self.given.append(token)
        if self.takes_tokens:
            self.valid.add(token)
        return token

    def file(self, file_id: str, **headers: str) -> httpx.Response | None:
        if self.file_answer is not None:
            return self.file_answer
        content = self.files.get(file_id)
        return None if content is None else httpx.Response(200, content=content, headers=headers)


def _attachment(media_type: str = "image/png") -> dict[str, str]:
    return {"content-type": media_type, "content-disposition": 'attachment; filename="one.png"'}


class FeishuFiles(FilePlatform):
    host = "open.feishu.cn"

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/open-apis/auth/v3/tenant_access_token/internal" and request.method == "POST":
            body = json.loads(request.content)
            token = self.exchange(body["app_id"], body["app_secret"])
            if isinstance(token, httpx.Response):
                return token
            if token is None:
                return httpx.Response(400, json={"code": 10014, "msg": "app secret invalid"})
            return httpx.Response(
                200, json={"code": 0, "msg": "ok", "tenant_access_token": token, "expire": self.lifetime_seconds}
            )
        prefix = "/open-apis/im/v1/messages/om_1/resources/"
        if not request.url.path.startswith(prefix) or request.url.params.get("type") != "file":
            return None
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return httpx.Response(400, json={"code": 99991663, "msg": "Invalid access token for authorization."})
        if self.too_often:
            return httpx.Response(400, json={"code": 99991400, "msg": "request trigger frequency limit"})
        named = _attachment() if request.headers.get("content-type") == "application/json" else {}
        found = self.file(request.url.path.removeprefix(prefix), **named)
        return found or httpx.Response(400, json={"code": 234003, "msg": "File not in msg."})


class DingtalkFiles(FilePlatform):
    host = "api.dingtalk.com"
    store = "wukong-file-im-zjk.oss-cn-zhangjiakou.aliyuncs.com"

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path.startswith("/ddmedia/"):
            if self.base or request.headers["host"] == self.store:
                assert "x-acs-dingtalk-access-token" not in request.headers, "the token went to another host"
                return self.file(request.url.path.removeprefix("/ddmedia/"))
            return None
        body = json.loads(request.content or b"{}")
        if request.url.path == "/v1.0/oauth2/accessToken":
            token = self.exchange(body["appKey"], body["appSecret"])
            if isinstance(token, httpx.Response):
                return token
            if token is None:
                words = {"code": "invalidClientIdOrSecret", "message": "无效的clientId或者clientSecret"}
                return httpx.Response(400, json=words)
            return httpx.Response(200, json={"accessToken": token, "expireIn": self.lifetime_seconds})
        if request.url.path != "/v1.0/robot/messageFiles/download" or request.method != "POST":
            return None
        if request.headers.get("x-acs-dingtalk-access-token") not in self.valid:
            return httpx.Response(400, json={"code": "InvalidAuthentication", "message": "不合法的access_token"})
        if self.too_often:
            return httpx.Response(403, json={"code": "Forbidden.AccessDenied.QpsLimitForApi"})
        if body["robotCode"] not in ("robot-1", self.app_id) or body["downloadCode"] not in self.files:
            return httpx.Response(400, json={"code": "unknownError", "message": "downloadCode is wrong"})
        # Written with http, as DingTalk does.
        link = f"{self.base or f'http://{self.store}'}/ddmedia/{body['downloadCode']}?signature=a%2Bb"
        return httpx.Response(200, json={"downloadUrl": link})


class TencentFiles(FilePlatform):
    """What WeCom's and WeChat's `cgi-bin` have in common: errors under 200."""

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/cgi-bin/media/get":
            return self.media(request.url.params.get("access_token", ""), request.url.params.get("media_id", ""))
        credentials = self.credentials(request)
        if credentials is None:
            return None
        token = self.exchange(*credentials)
        if isinstance(token, httpx.Response):
            return token
        if token is None:
            return self.error(40001, "invalid credential, hint: [1645025097593810238423219], from ip: 49.74.77.205")
        return httpx.Response(200, json={"access_token": token, "expires_in": self.lifetime_seconds})

    def credentials(self, request: httpx.Request) -> tuple[object, object] | None:
        raise NotImplementedError

    def media(self, token: str, media_id: str) -> httpx.Response | None:
        if token not in self.valid:
            return self.error(42001, "access_token expired")
        if self.too_often:
            return self.error(45009, "api freq out of limit")
        return self.file(media_id, **_attachment()) or self.error(40007, "invalid media_id")

    @staticmethod
    def error(code: int, words: str) -> httpx.Response:
        return httpx.Response(200, json={"errcode": code, "errmsg": words})


class WecomFiles(TencentFiles):
    host = "qyapi.weixin.qq.com"

    def credentials(self, request: httpx.Request) -> tuple[object, object] | None:
        asked = request.url.path == "/cgi-bin/gettoken"
        return (request.url.params.get("corpid"), request.url.params.get("corpsecret")) if asked else None


class WechatFiles(TencentFiles):
    """`video` is the file of which a link is told instead."""

    host = "api.weixin.qq.com"
    store = "vweixinp.tc.qq.com"

    def credentials(self, request: httpx.Request) -> tuple[object, object] | None:
        if request.url.path != "/cgi-bin/stable_token" or request.method != "POST":
            return None
        body = json.loads(request.content)
        return (body["appid"], body["secret"]) if body["grant_type"] == "client_credential" else (None, None)

    def media(self, token: str, media_id: str) -> httpx.Response | None:
        found = super().media(token, media_id)
        if media_id != "video" or token not in self.valid:
            return found
        return httpx.Response(200, json={"video_url": f"http://203.205.158.71/{self.store}/1007_one.mp4?vkey=7"})

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        if request.headers["host"] in (self.store, "mmbiz.qpic.cn"):
            return self.file("one") if request.url.path in ("/1007_one.mp4", "/mmbiz_jpg/one/0") else None
        return super().answer(request)


class DouyinFiles(FilePlatform):
    host = "open.douyin.com"

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        token = request.headers.get("access-token")
        if request.url.path == "/oauth/client_token/":
            body = json.loads(request.content)
            given = self.exchange(body["client_key"], body["client_secret"])
            if isinstance(given, httpx.Response):
                return given
            data: dict[str, Any] = {"access_token": given, "error_code": 0, "expires_in": self.lifetime_seconds}
            if given is None:
                data = {"access_token": "", "description": "client_secret is wrong", "error_code": 10013}
            return httpx.Response(200, json={"data": data, "message": "success"})
        if request.url.path.startswith("/im/media/"):
            if token not in self.valid or request.headers.get("openid") != "us+1":
                return httpx.Response(403)
            return self.file(request.url.path.removeprefix("/im/media/"))
        if request.url.path != "/api/im/message/resources/":
            return None
        if token not in self.valid:
            return self.told(28001008, "access_token过期,请刷新或重新授权")
        if self.too_often:
            return self.told(28001005, "系统繁忙")
        asked = request.url.params
        if (asked["open_id"], asked["conversation_id"]) != ("us+1", "@c=") or asked["message_id"] not in self.files:
            return self.told(28029020, "未获取到资源链接")
        return self.told(
            0, "", url=f"{self.base or f'https://{self.host}'}/im/media/{asked['message_id']}?a=1\\u0026b=2"
        )

    @staticmethod
    def told(code: int, words: str, **data: str) -> httpx.Response:
        return httpx.Response(200, json={"err_no": code, "err_msg": words, "log_id": "l", "data": data})


@asynccontextmanager
async def serving(platform: FilePlatform) -> AsyncIterator[FilePlatform]:
    """Put a platform behind a free port of this machine until the block ends; `base` is its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = int(headers.get("content-length", "0"))
        method, target, _ = first.split(" ")
        body = await reader.readexactly(size)
        answer = platform(httpx.Request(method, platform.base + target, headers=headers, content=body))
        extra = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items() if name != "content-length")
        length = f"content-length: {len(answer.content)}\r\n"
        writer.write(f"HTTP/1.1 {answer.status_code} x\r\n{length}{extra}connection: close\r\n\r\n".encode())
        writer.write(answer.content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    platform.base = f"http://{host}:{port}"
    try:
        yield platform
    finally:
        server.close()
