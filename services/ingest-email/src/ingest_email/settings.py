"""Settings of ingest-email. Sizes are bytes, times seconds."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from service_kit.settings import KafkaSettings, ObjectStoreSettings, OptionalPostgresSettings, ServiceSettings


class IngestEmailSettings(ServiceSettings, KafkaSettings, ObjectStoreSettings, OptionalPostgresSettings):
    """Read from the environment, each with the prefix FIREBREAK_."""

    mailboxes_file: Path = Field(
        description="YAML file that names the addresses which take mail, and providers' hooks. Read again when it or "
        "the file of a hook's secret changes, and on SIGHUP.",
        examples=["/etc/firebreak/mailboxes.yaml"],
    )
    smtp_host: str = Field(
        "127.0.0.1", description="Address the SMTP server listens on; 0.0.0.0 in a container, behind the company's MX."
    )
    smtp_port: int = Field(ge=0, le=65_535, description="SMTP port; 0 takes any free one.", examples=["8083"])
    smtp_hostname: str = Field(
        "firebreak", max_length=255, description="Name in the greeting; the public host name when others see it."
    )
    smtp_message_bytes: int = Field(
        25 * 1024 * 1024,
        ge=1024,
        description="Largest mail. 25 MiB is what the big providers send; above it, 552.",
    )
    smtp_line_bytes: int = Field(
        64 * 1024,
        ge=1001,
        description="Longest line of a mail. RFC 5321 says 1,000, but programs send whole pages in one line.",
    )
    smtp_recipients: int = Field(
        100, ge=1, description="Recipients of one mail; RFC 5321 §4.5.3.1.8 demands at least 100. Above it, 452."
    )
    smtp_connections: int = Field(200, ge=1, description="Open connections in all; above it, 421.")
    smtp_connections_per_address: int = Field(
        50, ge=1, description="Open connections of one client address; raise it when a single relay brings all mail."
    )
    smtp_mails_per_minute: int = Field(
        0,
        ge=0,
        description="Mails of one client address in a minute, over SMTP and LMTP; above it 450. 0 is no limit: right "
        "when one relay brings all mail, which then is the one to limit senders.",
    )
    smtp_buffered_bytes: int = Field(
        256 * 1024 * 1024,
        ge=1024,
        description="Mail held in memory over all connections; above it, new data is cut off with 421. "
        "The process needs about three times as much memory when it is used up.",
    )
    smtp_idle_seconds: float = Field(
        300, gt=0, description="Silence after which a connection is closed; RFC 5321 §4.5.3.2.7 asks for 5 minutes."
    )
    smtp_tls_certificate: Path | None = Field(
        None, description="PEM file with certificate and chain; with it STARTTLS is offered."
    )
    smtp_tls_key: Path | None = Field(None, description="PEM file with the certificate's key.")
    smtp_require_tls: bool = Field(
        False, description="Take mail over encrypted connections only: before STARTTLS, MAIL is answered with 530."
    )
    lmtp_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Port of LMTP, for a Postfix that delivers here (docs/channels/email.md); without it no LMTP. "
        "Address, name, limits and TLS are those of SMTP.",
        examples=["8084"],
    )
    mail_trusted_server: str = Field(
        "",
        max_length=255,
        description="authserv-id of the company's own mail server, as its Authentication-Results headers begin; its "
        "word on SPF, DKIM and DMARC counts, nobody else's. It must remove headers that others write under its name. "
        "Empty: nobody's word.",
        examples=["mx.example.com"],
    )
    reply_address_secrets: SecretStr = Field(
        SecretStr(""),
        description="Secrets that seal the address of a ticket (support+t-…@), several separated by blanks; the first "
        "seals, all are accepted, so a new one is put in front. Each 16 characters or more; empty: no such addresses.",
    )
    reading_workers: int = Field(
        2,
        ge=1,
        le=64,
        description="Processes that read mail. One reads about 2,000 small mails a second; 2 so that one may be stuck.",
    )

    @field_validator("reply_address_secrets")
    @classmethod
    def _secrets_are_long(cls, value: SecretStr) -> SecretStr:
        if any(len(secret) < 16 for secret in value.get_secret_value().split()):
            raise ValueError("each secret needs 16 characters or more")
        return value

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "IngestEmailSettings":
        if (self.smtp_tls_certificate is None) != (self.smtp_tls_key is None):
            raise ValueError(
                "FIREBREAK_SMTP_TLS_CERTIFICATE and FIREBREAK_SMTP_TLS_KEY are set together or not at all."
            )
        if self.smtp_require_tls and self.smtp_tls_certificate is None:
            raise ValueError("FIREBREAK_SMTP_REQUIRE_TLS needs FIREBREAK_SMTP_TLS_CERTIFICATE and its key.")
        if self.smtp_buffered_bytes < self.smtp_message_bytes:
            raise ValueError("FIREBREAK_SMTP_BUFFERED_BYTES must be at least FIREBREAK_SMTP_MESSAGE_BYTES.")
        return self
