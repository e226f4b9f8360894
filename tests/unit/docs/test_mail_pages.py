"""The pages on mail: what they say to write is what the service reads."""

import re

import yaml

from ingest_email.hooks.entries import HookEntry
from ingest_email.imap_entries import ImapEntry, OAuth2Entry
from ingest_email.mailboxes import MailboxFile
from tests.support.workspace_services import ROOT

_EXAMPLE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _examples(page: str) -> list[str]:
    return _EXAMPLE.findall((ROOT / "docs" / "channels" / page).read_text(encoding="utf-8"))


def test_the_examples_of_the_three_pages_are_read() -> None:
    (mail,), (hooks,), imap = (_examples(f"{name}.md") for name in ("email", "email-hooks", "email-imap"))
    assert MailboxFile.model_validate(yaml.safe_load(mail)).mailboxes[0].address == "support@example.com"
    assert [entry.provider for entry in MailboxFile.model_validate(yaml.safe_load(hooks)).hooks] == [
        "mailgun",
        "sendgrid",
        "postmark",
        "ses",
    ]
    whole, *tokens = imap
    assert MailboxFile.model_validate(yaml.safe_load(whole)).mailboxes[0].imap is not None
    assert len([OAuth2Entry.model_validate(yaml.safe_load(each)["oauth2"]) for each in tokens]) == 2


def test_every_key_of_the_file_stands_on_a_page() -> None:
    pages = "\n".join(example for name in ("email-hooks", "email-imap") for example in _examples(f"{name}.md"))
    fields = {*HookEntry.model_fields, *ImapEntry.model_fields, *OAuth2Entry.model_fields} - {"path_secrets"}
    assert {name for name in fields if not re.search(rf"\b{name}:", pages)} == set()
