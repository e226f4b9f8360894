"""Telephone systems that give out recordings of calls, each as its own pages say.

`files` has the recordings by their ids, `secret` is what is written as a token.
"""

from base64 import b64encode
from dataclasses import dataclass

import httpx

from tests.support.partners.file_platforms import FilePlatform

LOGIN_PAGE = httpx.Response(200, text="<!DOCTYPE html><title>Log in", headers={"content-type": "text/html"})


def _basic(secret: str) -> str:
    return f"Basic {b64encode(secret.encode()).decode()}"


@dataclass
class TwilioRecordings(FilePlatform):
    """Without an extension, or with `.wav`, Twilio gives WAV: here nothing, so that it is not asked for by mistake."""

    secret: str = "AC1:auth-token-s3cret"
    host = "api.twilio.com"
    prefix = "/2010-04-01/Accounts/AC1/Recordings/"

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.startswith(self.prefix) or not request.url.path.endswith(".mp3"):
            return None
        if request.headers.get("authorization") != _basic(self.secret):
            return httpx.Response(401, json={"code": 20003, "message": "Authenticate"})
        return self.file(request.url.path.removeprefix(self.prefix).removesuffix(".mp3")) or httpx.Response(
            404, json={"code": 20404, "message": "The requested resource was not found"}
        )


@dataclass
class AircallRecordings(FilePlatform):
    """Call 812 has a voicemail, which is `one` of `files`. A link holds until the next is given."""

    secret: str = "api-id:api-token-s3cret"
    links: int = 0
    host = "api.aircall.io"
    store = "production-web.s3.us-west-2.amazonaws.com"

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        host, path = request.headers["host"], request.url.path
        if host == self.store or path == "/812.mp3":
            assert self.base or "authorization" not in request.headers, "the credentials went to the store"
            if request.url.params.get("X-Amz-Signature") != f"signed-{self.links}":
                return httpx.Response(403, text="<Error><Code>AccessDenied</Code></Error>")
            return self.file("one", **{"content-type": "audio/mpeg"})
        if not path.startswith("/v1/calls/"):
            return None
        if request.headers.get("authorization") != _basic(self.secret):
            return httpx.Response(403, json={"error": "Forbidden", "troubleshoot": "Check your API ID and API token"})
        if path != "/v1/calls/812":
            return httpx.Response(404, json={"error": "Not Found"})
        if self.token_answer is not None:
            return self.token_answer
        self.links += 1
        link = f"{self.base or f'https://{self.store}'}/812.mp3?X-Amz-Expires=600&X-Amz-Signature=signed-{self.links}"
        return httpx.Response(200, json={"call": {"id": 812, "voicemail": link, "recording": None}})


@dataclass
class DialpadRecordings(FilePlatform):
    """A key without the scope is led to the login page; one with it through two more addresses of the same host."""

    secret: str = "dialpad-key-s3cret"
    host = "dialpad.com"

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        place, _, file_id = request.url.path.removeprefix("/").partition("/")
        if place == "login":
            return LOGIN_PAGE
        if place == "r":
            return httpx.Response(302, headers={"location": f"/secureblob/{file_id}"})
        if place != "secureblob":
            return None
        if request.headers.get("authorization") != f"Bearer {self.secret}":
            return httpx.Response(302, headers={"location": "/login?next=1"})
        return self.file(file_id)


@dataclass
class SwitchRecordings(FilePlatform):
    """A web server beside a switch, with `voicemail/1000/{id}.wav` below /recordings; it names no media type."""

    secret: str = "firebreak:password-s3cret"
    is_open: bool = False
    host = "switch.internal"
    api = f"https://{host}/recordings"

    def answer(self, request: httpx.Request) -> httpx.Response | None:
        if not self.is_open and request.headers.get("authorization") != _basic(self.secret):
            return httpx.Response(401, headers={"www-authenticate": 'Basic realm="recordings"'})
        if not request.url.path.startswith("/recordings/voicemail/1000/"):
            return None
        return self.file(request.url.path.rpartition("/")[2].removesuffix(".wav"))
