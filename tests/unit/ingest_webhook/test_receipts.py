"""What the receipts of each platform become: a message of kind `status` about a message of ours."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_webhook.provider import Ignored, Messages, Provider
from ingest_webhook.providers import instagram, messenger, whatsapp
from ingest_webhook.providers.feishu import Feishu
from ingest_webhook.providers.receipts import reason_of
from ingest_webhook.providers.twilio_request import TWIML
from ingest_webhook.providers.twilio_sms import TwilioSms
from ingest_webhook.providers.wechat_official import WechatOfficial
from ingest_webhook.providers.x_activity import XActivity
from ingest_webhook.rejections import IgnoreReason
from tests.support.every_source import (
    FEISHU_SECRET,
    META_SECRET,
    META_TOKEN,
    TWILIO_TOKEN,
    WECHAT_SECRET,
    X_SECRET,
)
from tests.support.partners.signed_request import SignedRequest, Way
from tests.support.partners.twilio import TwilioSender
from tests.unit.ingest_webhook.all_providers import (
    feishu_sender,
    instagram_sender,
    messenger_sender,
    wechat_sender,
    whatsapp_sender,
    x_sender,
)
from tests.unit.ingest_webhook.edge import NOW
from tests.unit.ingest_webhook.readings import read, read_one
from ticket_contracts.messages import Delivery
from ticket_contracts.vocabulary import Automation, DeliveryState, IdentityKind, MessageKind
from ticket_intake.identity import message_identity
from ticket_intake.incoming import IncomingMessage

DELIVERED, READ, FAILED = DeliveryState
EARLIER = datetime(2026, 11, 23, 11, 59, 58, tzinfo=UTC)
EARLIER_MS = int(EARLIER.timestamp() * 1000)

WHATSAPP = whatsapp.build({"tokens": [META_TOKEN]}, [META_SECRET])
MESSENGER = messenger.build({"tokens": [META_TOKEN]}, [META_SECRET])
INSTAGRAM = instagram.build({"tokens": [META_TOKEN]}, [META_SECRET])
TWILIO_URL = "https://support.example.com/webhooks/sms"
TWILIO = TwilioSms.build({"public_url": TWILIO_URL}, [TWILIO_TOKEN])
FEISHU = Feishu.build({}, [FEISHU_SECRET])
X = XActivity.build({}, [X_SECRET])
WECHAT = WechatOfficial.build({"receiver_id": "wx2c2769f8efd9abc2"}, [WECHAT_SECRET])


def read_all(provider: Provider, request: SignedRequest) -> Sequence[IncomingMessage]:
    reading = read(provider, request)
    assert isinstance(reading, Messages), reading
    return reading.messages


def identity(message: IncomingMessage) -> str:
    return message_identity("account", message.provider_id, message.kind, message.revision)


def assert_goes_where_customers_write(receipt: IncomingMessage, said: IncomingMessage) -> None:
    """Same partition and ticket as the customer's own messages; a person is not said to have written it."""
    assert (receipt.kind, receipt.conversation) == (MessageKind.STATUS, said.conversation)
    assert (receipt.channel, receipt.sender.kind, receipt.sender.value) == (
        said.channel,
        said.sender.kind,
        said.sender.value,
    )
    assert (receipt.automation, receipt.may_auto_answer) == (Automation.GENERATED, False)
    assert (receipt.text, receipt.subject, receipt.reading_problems) == ("", "", ())


def whatsapp_status(status: Any, **told: Any) -> SignedRequest:
    return whatsapp_sender().receipt("wamid.9", status, **{"timestamp": str(EARLIER_MS // 1000), **told})


@pytest.mark.parametrize(("status", "state"), [("delivered", DELIVERED), ("read", READ), ("failed", FAILED)])
def test_whatsapp_tells_what_became_of_one_message(status: str, state: DeliveryState) -> None:
    receipt = read_one(WHATSAPP, whatsapp_status(status))
    assert_goes_where_customers_write(receipt, read_one(WHATSAPP, whatsapp_sender().message("hello")))
    assert (receipt.provider_id, receipt.sent_at, receipt.delivery) == ("wamid.9", EARLIER, Delivery(state=state))


def test_whatsapp_tells_why_a_message_failed() -> None:
    experiment = {"code": 130472, "title": "Experiment", "error_data": {"details": "This number is part of one"}}
    bare = {"code": 131026, "title": "Undeliverable", "message": "Undeliverable"}
    receipt = read_one(WHATSAPP, whatsapp_status("failed", errors=[experiment, bare]))
    assert receipt.delivery is not None
    assert receipt.delivery.reason == "130472: Experiment: This number is part of one; 131026: Undeliverable"
    endless = [{"code": code, "title": "字" * 900, "error_data": None} for code in range(9)]
    receipt = read_one(WHATSAPP, whatsapp_status("failed", errors=endless))
    assert receipt.delivery is not None
    assert len(receipt.delivery.reason) == 1000


def test_whatsapp_tells_of_people_who_hide_their_number_and_of_groups() -> None:
    contacts = [{"user_id": "CN.42", "profile": {"username": "@li"}}]
    sender = whatsapp_sender()
    hidden = sender.said_without_number("CN.42", "x")
    said = read_one(WHATSAPP, sender.value(messages=[hidden], contacts=contacts))
    told = {"id": "wamid.9", "status": "read", "timestamp": "1763899201", "recipient_user_id": "CN.42"}
    assert_goes_where_customers_write(read_one(WHATSAPP, sender.value(statuses=[told], contacts=contacts)), said)
    assert read_one(WHATSAPP, sender.value(statuses=[told], contacts=contacts)).sender.name == "@li"

    in_group = {"recipient_id": "group-7", "recipient_type": "group", "recipient_participant_id": sender.person}
    said = read_one(WHATSAPP, sender.message("hello all", group_id="group-7"))
    assert_goes_where_customers_write(read_one(WHATSAPP, whatsapp_status("read", **in_group)), said)


@pytest.mark.parametrize("status", ["sent", "deleted", "played", ["read"], None])
def test_whatsapp_tells_other_things_that_are_only_counted(status: Any) -> None:
    assert read(WHATSAPP, whatsapp_status(status)) == Ignored(IgnoreReason.RECEIPT)


def test_a_payment_that_failed_is_no_message_of_whatsapp_that_did() -> None:
    assert read(WHATSAPP, whatsapp_status("failed", type="payment")) == Ignored(IgnoreReason.RECEIPT)
    for of_message in ("message", None):
        assert read_one(WHATSAPP, whatsapp_status("failed", type=of_message)).delivery == Delivery(state=FAILED)


def test_a_receipt_of_whatsapp_without_a_person_is_no_receipt() -> None:
    assert read(WHATSAPP, whatsapp_status("read", recipient_id=None)) == Ignored(IgnoreReason.NO_SENDER)


def test_a_failure_of_whatsapp_without_reasons_is_one() -> None:
    assert read_one(WHATSAPP, whatsapp_status("failed", errors=None)).delivery == Delivery(state=FAILED)


def test_messenger_names_the_messages_that_were_delivered_and_a_time() -> None:
    sender = messenger_sender()
    receipts = read_all(MESSENGER, sender.receipt("m_8", "m_9", watermark=EARLIER_MS))
    for receipt in receipts:
        assert_goes_where_customers_write(receipt, read_one(MESSENGER, sender.message("hello")))
        assert (receipt.sent_at, receipt.delivery) == (None, Delivery(state=DELIVERED, up_to=EARLIER))
    assert [receipt.provider_id for receipt in receipts] == ["m_8", "m_9"]


def test_messenger_names_a_time_until_which_all_was_delivered_or_read() -> None:
    sender = messenger_sender()
    read_until = {"read": {"watermark": EARLIER_MS}}
    again, later = {"read": {"watermark": EARLIER_MS}}, {"read": {"watermark": EARLIER_MS + 1}}
    elsewhere = {**read_until, "sender": {"id": "52"}}
    delivered_until = {"delivery": {"watermark": EARLIER_MS}}
    receipts = read_all(MESSENGER, sender.events(read_until, again, later, elsewhere, delivered_until))
    assert [receipt.provider_id for receipt in receipts] == [""] * 5
    assert receipts[0].delivery == Delivery(state=READ, up_to=EARLIER)
    assert (receipts[0].sent_at, receipts[4].delivery) == (NOW, Delivery(state=DELIVERED, up_to=EARLIER))
    first, repeat, *others = map(identity, receipts)
    assert first == repeat
    assert len({first, *others}) == 4


def test_a_time_of_nought_at_meta_is_none() -> None:
    """Taken for 1970, it would make a message old enough to have been read before it was written."""
    told = {"timestamp": 0, "delivery": {"mids": ["m_9"], "watermark": 0}}
    receipt = read_one(MESSENGER, messenger_sender().events(told))
    assert (receipt.sent_at, receipt.delivery) == (None, Delivery(state=DELIVERED))


def test_instagram_names_the_message_that_was_seen() -> None:
    sender = instagram_sender()
    receipt = read_one(INSTAGRAM, sender.receipt("aWdf_9"))
    assert_goes_where_customers_write(receipt, read_one(INSTAGRAM, sender.message("hello")))
    assert (receipt.provider_id, receipt.sent_at, receipt.delivery) == ("aWdf_9", NOW, Delivery(state=READ))


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"read": {}}, IgnoreReason.RECEIPT),
        ({"delivery": {"mids": []}}, IgnoreReason.RECEIPT),
        ({"delivery": None}, IgnoreReason.RECEIPT),
        ({"read": {"watermark": 0}}, IgnoreReason.RECEIPT),
        ({"sender": {"id": messenger_sender().page}, "read": {"watermark": 1}}, IgnoreReason.ECHO),
    ],
)
def test_what_names_neither_message_nor_time_at_meta_is_counted(event: dict[str, Any], reason: IgnoreReason) -> None:
    assert read(MESSENGER, messenger_sender().events(event)) == Ignored(reason)


def twilio_status(status: str, **fields: str) -> SignedRequest:
    return TwilioSender(TWILIO_TOKEN, TWILIO_URL).receipt("SM9", status, **fields)


@pytest.mark.parametrize(
    ("status", "state"), [("delivered", DELIVERED), ("read", READ), ("undelivered", FAILED), ("failed", FAILED)]
)
def test_twilio_tells_what_became_of_one_message(status: str, state: DeliveryState) -> None:
    receipt = read_one(TWILIO, twilio_status(status))
    said = read_one(TWILIO, TwilioSender(TWILIO_TOKEN, TWILIO_URL).sms("hello"))
    assert_goes_where_customers_write(receipt, said)
    assert (receipt.provider_id, receipt.sent_at, receipt.delivery) == ("SM9", None, Delivery(state=state))
    reading = read(TWILIO, twilio_status(status))
    assert isinstance(reading, Messages)
    assert reading.answer == TWIML


def test_twilio_tells_why_a_message_failed_and_whether_it_was_one_of_whatsapp() -> None:
    numbers = {"From": "whatsapp:+864008001234", "To": "whatsapp:+8613800138000"}
    receipt = read_one(TWILIO, twilio_status("failed", ErrorCode="63016", ErrorMessage="Outside the window", **numbers))
    said = read_one(TWILIO, TwilioSender(TWILIO_TOKEN, TWILIO_URL).sms("hi", From=numbers["To"], To=numbers["From"]))
    assert_goes_where_customers_write(receipt, said)
    assert receipt.delivery == Delivery(state=FAILED, reason="63016: Outside the window")


def test_a_message_of_twilio_that_failed_before_it_had_a_number_is_told_too() -> None:
    receipt = read_one(TWILIO, twilio_status("failed", From="", MessagingServiceSid="MG1"))
    assert receipt.conversation == f"sms:MG1/{TwilioSender.customer}"


def test_feishu_names_each_message_that_a_person_read() -> None:
    sender = feishu_sender()
    receipts = read_all(FEISHU, sender.receipt("om_8", "om_9", read_time=str(EARLIER_MS)))
    assert [(each.kind, each.provider_id, each.sent_at) for each in receipts] == [
        (MessageKind.STATUS, "om_8", EARLIER),
        (MessageKind.STATUS, "om_9", EARLIER),
    ]
    assert {(each.conversation, each.sender.kind, each.sender.value) for each in receipts} == {
        (f"reader/{sender.user}", IdentityKind.FEISHU, sender.user)
    }
    for nothing in (sender.receipt(), sender.receipt("om_8", reader_id=None)):
        assert read(FEISHU, nothing) == Ignored(IgnoreReason.RECEIPT)


@pytest.mark.parametrize("newer", [False, True])
def test_x_names_the_last_message_that_was_read(newer: bool) -> None:
    sender = x_sender()
    told = sender.has_read("877260925346103299", created_timestamp=str(EARLIER_MS))
    receipt = read_one(X, sender.newer("dm.read", told) if newer else sender.older(**told))
    assert_goes_where_customers_write(receipt, read_one(X, sender.message("hello")))
    assert (receipt.provider_id, receipt.sent_at) == ("877260925346103299", EARLIER)
    assert receipt.delivery == Delivery(state=READ)
    assert read(X, sender.receipt("1", sender_id=sender.account)) == Ignored(IgnoreReason.ECHO)


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("success", Delivery(state=DELIVERED)),
        ("failed:user block", Delivery(state=FAILED, reason="failed:user block")),
        ("failed: system failed", Delivery(state=FAILED, reason="failed: system failed")),
    ],
)
def test_wechat_tells_whether_a_template_message_arrived(status: str, delivery: Delivery) -> None:
    sender = wechat_sender()
    receipt = read_one(WECHAT, sender.receipt("200163836", status))
    assert_goes_where_customers_write(receipt, read_one(WECHAT, sender.message("你好")))
    assert (receipt.provider_id, receipt.sent_at, receipt.delivery) == ("200163836", NOW, delivery)


@pytest.mark.parametrize("fields", [{"MsgID": "1", "Status": "waiting"}, {"MsgID": "", "Status": "success"}])
def test_wechat_tells_other_things_that_are_only_counted(fields: dict[str, str]) -> None:
    for name in ("TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH"):
        assert read(WECHAT, wechat_sender().event(name, Way.GOOD, **fields)) == Ignored(IgnoreReason.RECEIPT)


def test_what_became_of_a_message_has_another_identity_than_the_message_and_each_state_its_own() -> None:
    receipts = [read_one(WHATSAPP, whatsapp_status(status)) for status in ("delivered", "read", "failed")]
    said = read_one(WHATSAPP, whatsapp_sender().message("hello", id="wamid.9"))
    assert len({identity(each) for each in (said, *receipts)}) == 4
    assert identity(receipts[0]) == identity(read_one(WHATSAPP, whatsapp_status("delivered", timestamp="1763899299")))


def test_a_reason_says_nothing_twice_and_holds_no_line_break() -> None:
    assert reason_of(131026, "Undeliverable", "Undeliverable", None, "") == "131026: Undeliverable"
    assert reason_of("first\nsecond", "words") == "first: words"


UNREADABLE = IgnoreReason.UNREADABLE_RECEIPT


@pytest.mark.parametrize(
    "status",
    [
        {"id": ""},
        {"id": None},
        {"id": "m" * 1001},
        {"timestamp": "10000-01-01"},
        {"timestamp": "253402300800"},
        {"timestamp": -1},
        {"recipient_id": ""},
        {"recipient_id": 42},
        {"errors": {"code": 1}},
        {"errors": [{"error_data": "no details"}]},
    ],
)
def test_a_receipt_of_whatsapp_that_cannot_be_read_is_counted_and_stops_no_message(status: dict[str, Any]) -> None:
    broken = whatsapp_status("failed", **status)
    assert read(WHATSAPP, broken) == Ignored(UNREADABLE)
    sender = whatsapp_sender()
    told = {"id": "wamid.9", "status": "failed", "timestamp": "1763899201", "recipient_id": sender.person, **status}
    said = {"id": "wamid.1", "timestamp": "1763899200", "from": sender.person, "type": "text", "text": {"body": "x"}}
    assert read_one(WHATSAPP, sender.value(messages=[said], statuses=[told])).text == "x"


@pytest.mark.parametrize(
    "event",
    [
        {"read": False},
        {"read": {"watermark": "yesterday"}},
        {"read": {"watermark": -1}},
        {"read": {"watermark": 10**15}},
        {"delivery": {"mids": [None]}},
        {"delivery": {"mids": ["m" * 1001]}},
        {"read": {"mid": ""}},
        {"sender": {"user_ref": "1"}, "delivery": {"mids": ["m_9"]}},
        {"sender": None, "read": {"watermark": 1}},
    ],
)
def test_a_receipt_of_meta_that_cannot_be_read_is_counted_and_stops_no_message(event: dict[str, Any]) -> None:
    for provider, sender in ((MESSENGER, messenger_sender()), (INSTAGRAM, instagram_sender())):
        assert read(provider, sender.events(event)) == Ignored(UNREADABLE)
        said = {"message": {"mid": "m_1", "text": "hello"}}
        assert read_one(provider, sender.events(event, said)).text == "hello"


@pytest.mark.parametrize("fields", [{"To": ""}, {"From": ""}, {"MessageSid": "", "SmsSid": ""}, {"MessageSid": "S-9"}])
def test_a_receipt_of_twilio_that_cannot_be_read_is_counted(fields: dict[str, str]) -> None:
    assert read(TWILIO, twilio_status("failed", **fields)) == Ignored(UNREADABLE, TWIML)


@pytest.mark.parametrize(
    "event",
    [
        {"reader": None, "message_id_list": ["om_9"]},
        {"reader": {"reader_id": {"open_id": None}}, "message_id_list": ["om_9"]},
        {"reader": {"reader_id": {"open_id": "ou_1"}, "read_time": ""}, "message_id_list": ["om_9"]},
        {"reader": {"reader_id": {"open_id": "ou_1"}}, "message_id_list": None},
    ],
)
def test_a_receipt_of_feishu_that_cannot_be_read_is_counted(event: dict[str, Any]) -> None:
    assert read(FEISHU, feishu_sender().event("im.message.message_read_v1", event)) == Ignored(UNREADABLE)


@pytest.mark.parametrize("event", [{"last_read_event_id": None}, {"created_timestamp": "soon"}, {"sender_id": 42}])
def test_a_receipt_of_x_that_cannot_be_read_is_counted_and_stops_no_message(event: dict[str, Any]) -> None:
    sender = x_sender()
    told = sender.has_read("877260925346103299", **event)
    assert read(X, sender.older(**told)) == Ignored(UNREADABLE)
    assert read(X, sender.newer("dm.read", told)) == Ignored(UNREADABLE)
    both = {**told, "direct_message_events": sender.direct("hello")["direct_message_events"]}
    assert read_one(X, sender.older(**both)).text == "hello"


@pytest.mark.parametrize("payload", [{"direct_message_mark_read_events": {}}, {"users": [{"id": "1"}]}])
def test_a_reading_of_x_in_a_shape_of_which_nothing_is_known_is_counted(payload: dict[str, Any]) -> None:
    assert read(X, x_sender().newer("dm.read", payload)) == Ignored(UNREADABLE)
