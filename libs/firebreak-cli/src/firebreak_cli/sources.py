"""Where a local stack takes messages from: webhook sources with random secrets, a call log, and mailboxes."""

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SHOP, SLACK, TELEPHONE, CALL_LOG = "shop", "dealers", "telephone", "call-log"
BRAND = "aurora"  # of the example configuration
MAIL_DOMAIN = "aurora.example"
SECRET_BYTES = 32  # of 24 to 64 that Standard Webhooks allows; the others are at home with it


@dataclass(frozen=True, slots=True)
class SourceSecrets:
    """What the other side of each source knows."""

    shop: str
    slack: str
    telephone: str


def new_sources() -> str:
    """Return a sources file with fresh secrets, as ingest-webhook reads it."""
    shop = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    telephone = "freeswitch:" + secrets.token_urlsafe(SECRET_BYTES)
    sources = [
        _source(SHOP, "standard-webhooks", shop),
        _source(SLACK, "slack", secrets.token_hex(SECRET_BYTES)),
        _source(TELEPHONE, "freeswitch", telephone) | {"options": {"language": "zh"}},
    ]
    return yaml.safe_dump({"sources": sources}, sort_keys=False)


def new_pull_sources(call_logs: Path) -> str:
    """Return a pull sources file, as ingest-pull reads it: an Asterisk's call log in a folder of the stack."""
    options = {"folder": str(call_logs.absolute()), "begin": "start", "language": "zh", "region": "CN"}
    source = {"name": CALL_LOG, "provider": "asterisk-cdr", "brand": BRAND, "account": CALL_LOG, "options": options}
    return yaml.safe_dump({"sources": [source]}, sort_keys=False)


def new_mailboxes() -> str:
    """Return a mailboxes file, as ingest-email reads it: every address of the domain takes mail."""
    mailbox = {"address": f"*@{MAIL_DOMAIN}", "brand": BRAND, "source": "mail-support", "account": MAIL_DOMAIN}
    return yaml.safe_dump({"mailboxes": [mailbox]}, sort_keys=False)


def read_secrets(path: Path) -> SourceSecrets:
    """Return the secrets of a file that `new_sources` made."""
    sources: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    secret_of = {source["name"]: source["secrets"][0]["value"] for source in sources}
    return SourceSecrets(secret_of[SHOP], secret_of[SLACK], secret_of[TELEPHONE])


def _source(name: str, provider: str, secret: str) -> dict[str, Any]:
    return {"name": name, "provider": provider, "brand": BRAND, "account": name, "secrets": [{"value": secret}]}
