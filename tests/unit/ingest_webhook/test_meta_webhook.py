"""What Messenger, Instagram and WhatsApp have in common: the question by GET, and whom a notification is about."""

from pathlib import Path

import pytest

from ingest_webhook.provider import Handshake, Ignored
from ingest_webhook.providers import instagram, messenger, whatsapp
from ingest_webhook.providers.meta_webhook import MetaWebhook
from ingest_webhook.rejections import IgnoreReason, Undecodable
from tests.support.every_source import META_SECRET, META_TOKEN
from tests.support.partners.messenger import MessengerSender
from tests.support.partners.meta import MetaSender
from tests.support.partners.signed_request import SignedRequest, deliver
from tests.unit.ingest_webhook.all_providers import sources_of
from tests.unit.ingest_webhook.edge import Edge, client_of, now_seconds
from tests.unit.ingest_webhook.readings import read
from ticket_intake.signatures import SignatureInvalid

TOKENS = {"tokens": [META_TOKEN, "the-next-token"]}
PRODUCTS = [module.build(TOKENS, [META_SECRET]) for module in (messenger, instagram, whatsapp)]
every_product = pytest.mark.parametrize("product", PRODUCTS, ids=["messenger", "instagram", "whatsapp"])


def sender() -> MetaSender:
    return MetaSender(META_SECRET, now_seconds)


@every_product
@pytest.mark.parametrize("token", TOKENS["tokens"])
def test_who_knows_a_verify_token_gets_the_challenge_back(product: MetaWebhook, token: str) -> None:
    assert read(product, sender().ask(token=token)) == Handshake("text/plain; charset=utf-8", b"1158201444")


@every_product
@pytest.mark.parametrize("token", ["guessed", "", "令牌"])
def test_who_does_not_know_it_gets_nothing(product: MetaWebhook, token: str) -> None:
    with pytest.raises(SignatureInvalid):
        read(product, sender().ask(token=token))


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (sender().ask(mode="unsubscribe"), "query.hub.mode"),
        (sender().ask(challenge="<script>"), "query.hub.challenge"),
        (sender().ask(challenge="7" * 201), "query.hub.challenge"),
        (sender().ask(challenge="7\n"), "query.hub.challenge"),
        (SignedRequest({}, b"", f"hub.mode=subscribe&hub.verify_token={META_TOKEN}", "GET"), "query.hub.challenge"),
    ],
)
def test_a_question_that_is_none_names_its_parameter(question: SignedRequest, field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(PRODUCTS[0], question)
    assert raised.value.errors[0].field == field


async def test_the_question_is_counted_and_a_wrong_token_not_told(tmp_path: Path) -> None:
    edge = Edge()
    async with client_of(edge.app(tmp_path, sources=sources_of("messenger"))) as client:
        right = await deliver(client, "/webhooks/messenger", sender().ask())
        wrong = await deliver(client, "/webhooks/messenger", sender().ask(token="guessed"))
    assert (right.status_code, right.text) == (200, "1158201444")
    assert right.headers["content-type"] == "text/plain; charset=utf-8"
    assert (wrong.status_code, META_TOKEN in wrong.text) == (401, False)
    assert (edge.counted("messenger", "handshake"), edge.counted("messenger", "bad-signature")) == (1, 1)


def test_a_verify_token_signs_nothing() -> None:
    """The token is typed into a page and sent in queries: who has seen one must not be able to deliver messages."""
    forged = MessengerSender(META_TOKEN, now_seconds).message("hello")
    with pytest.raises(SignatureInvalid):
        read(PRODUCTS[0], forged)


@every_product
def test_a_notification_about_something_else_is_ignored(product: MetaWebhook) -> None:
    request = sender().notification("permissions", [{"id": "1", "time": 1, "changes": []}])
    assert read(product, request) == Ignored(IgnoreReason.UNKNOWN_TYPE)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"id": ""}, "body.entry.0.id"),
        ({"id": "1", "messaging": {}}, "body.entry.0.messaging"),
        ({"id": "1", "changes": [7]}, "body.entry.0.changes.0"),
    ],
)
def test_a_wrong_field_of_an_entry_is_named(entry: dict[str, object], field: str) -> None:
    with pytest.raises(Undecodable) as raised:
        read(PRODUCTS[0], sender().notification("page", [entry]))
    assert raised.value.errors[0].field == field
