"""A plain form on a web page, with files: the browser asks for a token by GET and sends the form by POST.

Both are "simple" requests of CORS (https://fetch.spec.whatwg.org/#cors-protocol), so there is no preflight. The token
stands in the address: it is checked before anything of the body is read.
"""

import json
import re
import secrets as random_secrets
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated
from urllib.parse import parse_qs

from pydantic import AfterValidator, Field

from ingest_webhook.domain.form_fields import NotForm
from ingest_webhook.domain.form_tokens import form_token, nonce_of, verify_form_token
from ingest_webhook.provider import Answer, Handshake, Ignored, Reading, WebhookRequest, one_message
from ingest_webhook.providers.web_form_message import FormRules, compose_form_message, read_form
from ingest_webhook.rejections import IgnoreReason, Undecodable
from service_kit.problems import FieldProblem
from ticket_contracts.contract import Name
from ticket_intake.phone_calls import NumberOptions
from ticket_intake.signatures import TOLERANCE_SECONDS, SecretMalformed, SignatureInvalid

DOCUMENTATION = "docs/channels/web-form.md"
# Room for 128 random bits in base64 or hexadecimal.
MIN_SECRET_CHARACTERS = 22
NONCE_BYTES = 16
_ORIGIN = re.compile(r"https?://[a-z0-9.\-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")

NewNonce = Callable[[], str]


def _is_origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("is no origin: scheme and host in lower case, without a path, e.g. https://www.example.com")
    return text


class FormOptions(NumberOptions):
    form: Name = Field(description="Part of each token, so that those of one form are of no use at another")
    origins: Annotated[tuple[Annotated[str, AfterValidator(_is_origin)], ...], Field(min_length=1)] = Field(
        description="Where pages with the form come from; a browser tells it and a page cannot change it"
    )
    valid_seconds: int = Field(default=TOLERANCE_SECONDS, ge=30, le=3600, description="How long a token can be used")
    honeypot: str = Field(default="website", description="A field that no person sees; whoever fills it is a machine")
    more_fields: dict[str, str] = Field(
        default_factory=dict, description="Further fields by name and what to call them, shown above the message"
    )
    max_files: int = Field(default=5, ge=0, le=20)
    max_file_bytes: int = Field(default=512 * 1024, ge=1)
    may_auto_answer: bool = Field(
        default=False, description="Whether to acknowledge by mail; nobody has checked that the address is the writer's"
    )


class WebForm:
    """Provider `web-form`. Secrets: random text that signs the tokens; the first makes them."""

    methods = ("GET", "POST")
    challenge = None

    def __init__(self, options: FormOptions, secrets: Sequence[bytes], new_nonce: NewNonce) -> None:
        self.time_trusted = options.time_trusted
        self._options = options
        self._rules = FormRules(
            options.max_files,
            options.max_file_bytes,
            options.more_fields,
            options.region,
            options.may_auto_answer,
        )
        self._secrets = secrets
        self._new_nonce = new_nonce

    @classmethod
    def build(cls, options: Mapping[str, object], secrets: Sequence[str]) -> "WebForm":
        if not all(len(secret) >= MIN_SECRET_CHARACTERS for secret in secrets):
            raise SecretMalformed(
                f"has less than {MIN_SECRET_CHARACTERS} characters: make one with `openssl rand -hex 32`"
            )
        encoded = [secret.encode() for secret in secrets]
        return cls(FormOptions.model_validate(options), encoded, lambda: random_secrets.token_hex(NONCE_BYTES))

    def verify(self, request: WebhookRequest) -> None:
        origin = request.header(b"origin").decode("latin-1")
        if origin not in self._options.origins and (origin or request.method != "GET"):
            raise SignatureInvalid  # only a GET of our own pages comes without an origin
        if request.method != "GET":
            verify_form_token(
                _token(request.query),
                form=self._options.form,
                secrets=self._secrets,
                now=request.received_at.timestamp(),
                valid_seconds=self._options.valid_seconds,
            )

    def read(self, request: WebhookRequest) -> Reading:
        if request.method == "GET":
            return self._hand_out(request)
        headers = _cross_origin(request)
        received = Answer("application/json", b'{"received":true}', headers)
        try:
            form = read_form(request.header(b"content-type"), request.body)
            if form.values.get(self._options.honeypot):
                return Ignored(IgnoreReason.BOT, received)  # it may believe that it was heard
            message = compose_form_message(form, nonce_of(_token(request.query)), self._rules)
        except NotForm as error:
            problem = FieldProblem(field="body", message=str(error), fix=f"See {DOCUMENTATION}")
            raise Undecodable(problem, headers=headers) from error
        except Undecodable as problem:
            raise Undecodable(*problem.errors, headers=headers) from problem
        return one_message(message, received)

    def _hand_out(self, request: WebhookRequest) -> Handshake:
        issued_at = int(request.received_at.timestamp())
        token = form_token(self._secrets[0], self._options.form, issued_at, self._new_nonce())
        document = {"token": token, "valid_seconds": self._options.valid_seconds}
        headers = (("cache-control", "no-store"), *_cross_origin(request))
        return Handshake("application/json", json.dumps(document).encode(), headers)


@lru_cache(1)  # checked before the body is read, and then the message's name
def _token(query: bytes) -> str:
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]


def _cross_origin(request: WebhookRequest) -> tuple[tuple[str, str], ...]:
    """Let the page read our answer; its origin has been checked."""
    origin = request.header(b"origin").decode("latin-1")
    return (("access-control-allow-origin", origin), ("vary", "Origin")) if origin else ()
