"""Kind `wecom-service` (微信客服): WeCom calls to say that there is something, and the job reads it by cursor.

The callback holds no message, only a token that lets the reading be frequent. It wakes the job, in whichever process
that runs; the job also looks by itself at its interval, so that a lost callback delays messages and loses none.
"""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from ingest_pull.compose_outgoing import Composer, PullSource
from ingest_pull.domain.wecom_service import Page, messages_of
from ingest_pull.kinds.parts import JobParts, SecretsWrong
from ingest_pull.try_callback import ask_ourselves
from ingest_pull.wecom_api import ApiBusy, ApiRefused, WecomApi
from ticket_intake.flat_xml import NotFlatXml, read_flat_xml
from ticket_intake.options import SourceOptions
from ticket_intake.query_strings import query_values
from ticket_intake.signatures import SecretMalformed
from ticket_intake.source_checks import Attempt, failed, passed
from ticket_intake.tencent_callback import encrypted_part, envelope, signed_question
from ticket_intake.wecom_cipher import CallbackKey, callback_keys, open_envelope
from ticket_stream.leased_jobs import Turn

KIND = "wecom-service"
_EVENT = "kf_msg_or_event"
_REFUSED_ADVICE = "correct `corporation`, the secret or `accounts`; the application must be allowed to call 微信客服"
# WeCom documents no window; as for its other callbacks.
_TOLERANCE_SECONDS = 300


def _an_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "https" and (parts.scheme, parts.hostname) != ("http", "127.0.0.1"):
        raise ValueError("must begin with https://")
    return text


class ServiceOptions(SourceOptions):
    corporation: str = Field(pattern=r"^[!-~]{1,64}$", description="ID of the company, `ww…`; no secret")
    accounts: tuple[str, ...] = Field(
        default=(), description="Ids of customer service accounts, `wk…`; others are known from their first callback on"
    )
    api: Annotated[str, AfterValidator(_an_address)] = Field(
        default="https://qyapi.weixin.qq.com", description="Where the API is; another only behind a proxy of yours"
    )
    poll_seconds: float = Field(
        default=300.0, ge=1, le=86_400, description="How often to look without a callback; WeCom allows few such calls"
    )


class NotACallback(ValueError):
    """Rightly signed, and not what 微信客服 sends."""


class WecomService:
    """One corporation's customer service accounts."""

    def __init__(
        self,
        source: PullSource,
        options: ServiceOptions,
        api: WecomApi,
        keys: Sequence[CallbackKey],
        composer: Composer,
        *,
        fetches_files: bool,
    ) -> None:
        self.name = f"{KIND}/{source.name}"
        self.interval_seconds = options.poll_seconds
        self.source_name = source.name
        self._source = source
        self._options = options
        self._api = api
        self._keys = keys
        self._composer = composer
        self._fetches_files = fetches_files

    def open_callback(self, method: str, query: bytes, body: bytes, now: float) -> bytes:
        """Check a request, and return what it holds: the text to echo (GET), or an event.

        :raises SignatureInvalid, SignatureStale:
        """
        values = query_values(query)
        encrypted = values.get(b"echostr", b"") if method == "GET" else encrypted_part(body)
        receiver = self._options.corporation.encode()
        sealed = envelope(values, encrypted)
        return open_envelope(
            sealed, self._keys, receiver_id=receiver, now=now, tolerance_seconds=_TOLERANCE_SECONDS
        ).content

    @staticmethod
    def hint_of(event: bytes) -> str | None:
        """Return what the job needs to know of an event; None: an event of something else.

        :raises NotACallback:
        """
        try:
            fields = read_flat_xml(event)
        except NotFlatXml as error:
            raise NotACallback(str(error)) from error
        if fields.get("Event") != _EVENT:
            return None
        return json.dumps({"account": fields.get("OpenKfId", ""), "token": fields.get("Token", "")})

    async def try_out(self, url: str | None) -> AsyncIterator[Attempt]:
        """Ask WeCom for a page of each account, and ourselves as WeCom asks about an address. No cursor moves."""
        yield await self._try("gettoken with the application's secret", self._api.log_in())
        for account in self._options.accounts:
            yield await self._try(f"one page of {account}", self._api.sync(account, "", ""))
        for number, key in enumerate(self._keys):
            what = f"tokens.{number}: WeCom's question, encrypted and signed"
            if url is None:
                yield failed(f"{what}: not sent", "", "name the address of ingest-pull: --pull-url")
            else:
                query = signed_question(key, self._options.corporation, self._composer.now())
                yield await ask_ourselves(self._api.client, f"{url}/callbacks/{self.source_name}?{query}", what)

    async def _try(self, what: str, call: Awaitable[Page | None]) -> Attempt:
        try:
            page = await call
        except ApiBusy as error:
            return failed(what, str(error), "wait some minutes, or let this machine reach the API")
        except ApiRefused as error:
            return failed(what, str(error), _REFUSED_ADVICE)
        return passed(what, "let in" if page is None else f"entries: {len(page.msg_list)}")

    async def run(self, turn: Turn) -> None:
        """Read all accounts. One that WeCom refuses, e.g. because it was deleted there, keeps no other waiting.

        :raises ApiRefused: of the first such one, after all others were read.
        """
        cursors: dict[str, str] = dict(turn.cursor.get("accounts", {}))
        tokens = _tokens(turn.take_hints())
        refused: ApiRefused | None = None
        for account in sorted({*self._options.accounts, *cursors, *tokens}):
            try:
                await self._read(turn, account, cursors, tokens.get(account, ""))
            except ApiRefused as error:
                refused = refused or error
        if refused is not None:
            raise refused

    async def _read(self, turn: Turn, account: str, cursors: dict[str, str], token: str) -> None:
        """Read one account to its end. Cursor and messages of a page move together."""
        while True:
            before = cursors.get(account, "")
            page = await self._api.sync(account, before, token)
            moved = bool(page.next_cursor) and page.next_cursor != before
            if moved:
                cursors[account] = page.next_cursor
            messages = messages_of(page, self._options.corporation, fetches_files=self._fetches_files)
            if moved or messages:
                outgoing = await self._composer.compose(self._source, messages)
                await turn.hand_over({"accounts": cursors}, outgoing)
            if not page.has_more or not moved:  # a cursor that stands still would be read for ever
                return


def _tokens(hints: Sequence[str]) -> Mapping[str, str]:
    """Return the newest token of each account that a callback named."""
    read = (json.loads(hint) for hint in hints)
    return {hint["account"]: hint["token"] for hint in read if hint["account"]}


def build(parts: JobParts) -> WecomService:
    options = ServiceOptions.model_validate(parts.options)
    if len(parts.secrets) != 1:
        raise SecretsWrong("secrets: one is needed, the Secret of the application that may call 微信客服")
    if not parts.tokens:
        raise SecretsWrong("tokens: one is needed, TOKEN:ENCODING_AES_KEY of the callback")
    try:
        keys = callback_keys(parts.tokens)
    except SecretMalformed as error:
        raise SecretsWrong(f"tokens: one {error}") from error
    api = WecomApi(parts.client, options.api, options.corporation, parts.secrets[0], time.monotonic)
    source = parts.source(options.time_trusted)
    return WecomService(source, options, api, keys, parts.composer, fetches_files=parts.fetches_files)
