"""The `imap` part of a mailbox's entry: where its mail is, and how we log in there.

    imap:
      host: imap.example.com
      user: support@example.com
      password: file:/run/secrets/mail   # or env:NAME, or {value: …} for tests; a file is read at each login
      port: 993                          # optional, as are all below
      security: tls                      # or starttls (143); none only on this machine
      folder: INBOX
      begin: now                         # or start: the mails that are there already, too
      poll_seconds: 60                   # where the server cannot announce mail (IDLE)

or, in the place of `password`, `oauth2`: a token from a file that somebody else renews, or from the provider:

      oauth2: {token: file:/run/secrets/token}
      oauth2:
        token_url: https://login.example.com/oauth2/v2.0/token
        client_id: 0b1c…
        client_secret: env:MAIL_CLIENT_SECRET
        refresh_token: file:/run/secrets/refresh   # without one: the client's own grant
        scope: https://outlook.office365.com/.default
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingest_email.secret_references import SecretReference

LOOPBACK_HOSTS = frozenset(("127.0.0.1", "::1", "localhost"))
_PORTS = {"tls": 993, "starttls": 143, "none": 143}


def folder_place(user: str, host: str, port: int, folder: str) -> str:
    """Say where a folder is. A usual port is left out: it is the same server by either of them."""
    if port in _PORTS.values():
        return f"{user}@{host}/{folder}"
    named = f"[{host}]" if ":" in host else host
    return f"{user}@{named}:{port}/{folder}"


class OAuth2Entry(BaseModel):
    """Where a token comes from."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    token: SecretReference | None = None
    token_url: str | None = Field(default=None, pattern=r"^https?://", max_length=500)
    client_id: str = Field(default="", max_length=500)
    client_secret: SecretReference | None = None
    refresh_token: SecretReference | None = None
    scope: str = Field(default="", max_length=1000)

    @model_validator(mode="after")
    def _one_way(self) -> "OAuth2Entry":
        if (self.token is None) == (self.token_url is None):
            raise ValueError("needs either token or token_url")
        if self.token_url is not None and not self.client_id:
            raise ValueError("token_url needs client_id")
        return self


class ImapEntry(BaseModel):
    """One folder that is read."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    host: str = Field(min_length=1, max_length=255)
    user: str = Field(min_length=1, max_length=320)
    password: SecretReference | None = None
    oauth2: OAuth2Entry | None = None
    port: int | None = Field(default=None, ge=1, le=65_535)
    security: Literal["tls", "starttls", "none"] = "tls"
    folder: str = Field(default="INBOX", min_length=1, max_length=500)
    begin: Literal["now", "start"] = "now"
    poll_seconds: float = Field(default=60, ge=1, le=3600)

    @property
    def place(self) -> str:
        """Names the job that reads it, for good."""
        return folder_place(self.user, self.host, self.chosen_port, self.folder)

    @property
    def chosen_port(self) -> int:
        return self.port or _PORTS[self.security]

    @model_validator(mode="after")
    def _is_safe(self) -> "ImapEntry":
        if (self.password is None) == (self.oauth2 is None):
            raise ValueError("needs either password or oauth2")
        if self.security == "none" and self.host not in LOOPBACK_HOSTS:
            raise ValueError("security none would send the password in plain; use tls or starttls")
        return self
