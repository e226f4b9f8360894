"""A message as WeCom and WeChat write it in XML; both documents are one format with a few fields of their own.

developer.work.weixin.qq.com/document/path/90239 and
developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from ingest_webhook.providers.decode_model import decode_model
from ingest_webhook.providers.left_behind import left_behind
from ingest_webhook.providers.wording import Wording
from ingest_webhook.rejections import Undecodable
from service_kit.problems import FieldProblem
from ticket_intake.clean_text import one_line
from ticket_intake.flat_xml import NotFlatXml, read_flat_xml

# Ids of both have at most 64 characters.
MAX_ID_LENGTH = 64
FILE_NAME_LENGTH = 200
WECOM, WECHAT = "WeCom", "WeChat"


Id = Annotated[str, Meta(min_length=1, max_length=MAX_ID_LENGTH)]
OptionalId = Annotated[str, Meta(max_length=MAX_ID_LENGTH)]


class TencentDocument(msgspec.Struct, frozen=True):
    """The fields of all kinds of messages; which of them are there depends on `kind`."""

    receiver: Id = msgspec.field(name="ToUserName")
    sender: Id = msgspec.field(name="FromUserName")
    created: Annotated[int, Meta(ge=0, lt=10**10)] = msgspec.field(name="CreateTime")
    kind: OptionalId = msgspec.field(name="MsgType")
    message_id: OptionalId = msgspec.field(name="MsgId", default="")
    agent: Annotated[str, Meta(max_length=20)] = msgspec.field(name="AgentID", default="")
    event: str = msgspec.field(name="Event", default="")
    job_id: OptionalId = msgspec.field(name="MsgID", default="")  # of a template message that we sent
    status: str = msgspec.field(name="Status", default="")
    content: str = msgspec.field(name="Content", default="")
    recognized: str = msgspec.field(name="Recognition", default="")
    media_id: str = msgspec.field(name="MediaId", default="")
    picture_url: str = msgspec.field(name="PicUrl", default="")
    title: str = msgspec.field(name="Title", default="")
    description: str = msgspec.field(name="Description", default="")
    url: str = msgspec.field(name="Url", default="")
    label: str = msgspec.field(name="Label", default="")
    latitude: str = msgspec.field(name="Location_X", default="")
    longitude: str = msgspec.field(name="Location_Y", default="")

    @property
    def is_event(self) -> bool:
        return self.kind == "event"

    @property
    def provider_id(self) -> str:
        """Both platforms: repeats are told by MsgId; what has none, by sender and second."""
        return self.message_id or f"{self.sender}/{self.created}/{self.kind}"

    @property
    def sent_at(self) -> datetime:
        return datetime.fromtimestamp(self.created, UTC)


def read_document(content: bytes, documentation: str) -> TencentDocument:
    """Read the decrypted XML.

    :raises Undecodable:
    """
    try:
        values = read_flat_xml(content)
    except NotFlatXml as error:
        raise Undecodable(
            FieldProblem(field="body", message=str(error), fix=f"Send XML; see {documentation}")
        ) from error
    return decode_model(TencentDocument, values, documentation)


def word(document: TencentDocument, platform: str) -> Wording:
    """Put a message of any kind into words. One of an unknown kind is a customer's word too: it is named."""
    match document.kind:
        case "text":
            return Wording(document.content)
        case "location":
            return Wording(_lines(document.label, f"{document.latitude}, {document.longitude}"))
        case "link":
            return Wording(_lines(document.title, document.description, document.url))
        case "voice":
            return Wording(document.recognized, (_left_there(document, platform),))
    return Wording(_lines(document.content, document.title), (_left_there(document, platform),))


def _lines(*lines: str) -> str:
    return "\n".join(filter(None, lines))


def _left_there(document: TencentDocument, platform: str) -> str:
    media = one_line(document.media_id, FILE_NAME_LENGTH)
    where = ", ".join(filter(None, (f"media id {media}" if media else "", document.picture_url)))
    # WeChat's link of a picture wants no token; its page says nothing of the kind about WeCom's.
    link = document.picture_url if platform == WECHAT else ""
    return left_behind(
        platform, one_line(document.kind, MAX_ID_LENGTH), where or "no link given", locator=link or document.media_id
    )
