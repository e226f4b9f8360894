"""What a deployment hands to the services of a test's stack: sources, mailboxes, an API key, business configuration."""

from collections.abc import Iterable
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from uuid import UUID

import asyncpg
import yaml

from firebreak_cli import example_configuration
from firebreak_cli.first_start import new_key, register_key
from tests.support.partners.meta import MetaSender
from tests.support.partners.standard_webhooks import whsec
from ticket_store.configuration import apply, load_directory
from ticket_store.documents import Document, Policy

BRAND = "aurora"  # of the example configuration
SUPPORT_ADDRESS = "support@aurora.example"
SHOP, SLACK, TELEPHONE, MAIL, CALL_LOG = "shop", "dealers", "telephone", "mail", "call-log"
WHATSAPP = "whatsapp"
SHOP_SECRET = whsec(b"the-secret-of-the-shop-in-tests!")
SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TELEPHONE_SECRET = "freeswitch:password-in-tests"
WHATSAPP_SECRET = "4f3b0a1c9de84e6f8a7b2c5d1e0f9a8b"


def write_sources(path: Path) -> None:
    """Write a sources file with one source of each provider, and secrets that tests know."""
    kinds = (
        (SHOP, "standard-webhooks", SHOP_SECRET),
        (SLACK, "slack", SLACK_SECRET),
        (TELEPHONE, "freeswitch", TELEPHONE_SECRET),
        (WHATSAPP, "whatsapp", WHATSAPP_SECRET),
    )
    tokens = {WHATSAPP: {"tokens": [{"value": MetaSender.verify_token}]}}
    sources = [
        {"name": name, "provider": provider, "brand": BRAND, "account": name, "secrets": [{"value": secret}]}
        | tokens.get(name, {})
        for name, provider, secret in kinds
    ]
    path.write_text(yaml.safe_dump({"sources": sources}, sort_keys=False), encoding="utf-8")


def write_pull_sources(path: Path, call_logs: Path) -> None:
    """Write a pull sources file: that names an Asterisk's call log, read without delay."""
    options = {
        "folder": str(call_logs.absolute()),
        "begin": "start",
        "region": "CN",
        "settle_seconds": 0,
        "poll_seconds": 0.2,
    }
    source = {"name": CALL_LOG, "provider": "asterisk-cdr", "brand": BRAND, "account": CALL_LOG, "options": options}
    path.write_text(yaml.safe_dump({"sources": [source]}), encoding="utf-8")


def write_mailboxes(path: Path) -> None:
    """Write a mailboxes file with one mailbox."""
    mailbox = {"address": SUPPORT_ADDRESS, "brand": BRAND, "source": MAIL}
    path.write_text(yaml.safe_dump({"mailboxes": [mailbox]}), encoding="utf-8")


def fast_policy(first_response_seconds: int, resolution_seconds: int) -> Policy:
    """A policy for every ticket, first in order, around the clock, the same for every priority."""
    priorities = ("low", "normal", "high", "urgent")
    return Policy.model_validate(
        {
            "name": "fast",
            "order": 1,
            "calendar": "always-open",
            "targets": {
                "first_response": dict.fromkeys(priorities, f"{first_response_seconds}s"),
                "resolution": dict.fromkeys(priorities, f"{resolution_seconds}s"),
            },
        }
    )


async def configure(url: str, more: Iterable[Document]) -> None:
    """Apply the example configuration and `more` to a migrated database.

    Policies in `more` stand in place of the example's: one for every ticket would leave those without any.
    """
    with as_file(files(example_configuration)) as directory:
        documents = load_directory(directory)
    more = list(more)
    if any(isinstance(each, Policy) for each in more):
        documents = [each for each in documents if not isinstance(each, Policy)]
    connection = await asyncpg.connect(url)
    try:
        await apply(connection, [*documents, *more], "tests")
    finally:
        await connection.close()


async def make_api_key(url: str, key_id: UUID, now: datetime) -> str:
    """Make a key that may read and write in an agent's name, and return it."""
    key = new_key().strip()
    await register_key(url, key, key_id, now)
    return key
