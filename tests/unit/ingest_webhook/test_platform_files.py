"""What each platform says of a file in its message becomes what ingest-files asks the platform for."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ingest_webhook.providers.left_behind import with_files
from tests.support.partners.signed_request import SignedRequest, Way
from tests.unit.ingest_webhook.all_providers import (
    built,
    dingtalk_sender,
    douyin_sender,
    feishu_sender,
    wechat_sender,
    wecom_sender,
    weibo_sender,
    x_sender,
)
from tests.unit.ingest_webhook.readings import read_one

DM = "https://ton.twitter.com/1.1/ton/data/dm/1/2/a.jpg"


def feishu(kind: str, **content: Any) -> SignedRequest:
    return feishu_sender().message("", message_type=kind, content=json.dumps(content), message_id="om_1")


def dingtalk(kind: str, content: Any, **fields: Any) -> SignedRequest:
    return dingtalk_sender().message("", msgtype=kind, content=content, **fields)


def wecom(**fields: str) -> SignedRequest:
    return wecom_sender().message("", Way.GOOD, **fields)


def wechat(**fields: str) -> SignedRequest:
    return wechat_sender().message("", Way.GOOD, **fields)


def weibo(**fields: Any) -> SignedRequest:
    return weibo_sender().message("发了一个消息", Way.GOOD, **fields)


def douyin(**content: Any) -> SignedRequest:
    return douyin_sender().message(
        "", Way.GOOD, **{"server_message_id": "@m+=", "conversation_short_id": "@c/="} | content
    )


def x(**media: Any) -> SignedRequest:
    data = {"text": "see", "attachment": {"type": "media", "media": media}}
    return x_sender().message("", message_data=data)


def film(*variants: object) -> dict[str, Any]:
    return {
        "type": "video",
        "media_url_https": "https://pbs.twimg.com/cover.jpg",
        "video_info": {"variants": [*variants]},
    }


class Row(NamedTuple):
    """`files` are name and locator."""

    provider: str
    request: Callable[[], SignedRequest]
    files: tuple[tuple[str, str], ...]


IDS = f"account={douyin_sender().account}&conversation=%40c%2F%3D&message=%40m%2B%3D"
POST = {
    "zh_cn": 1,
    "content": [[{"tag": "img", "image_key": "img_2"}, {"tag": "media", "file_key": "f_3", "image_key": "i"}]],
}
ROWS = [
    Row("feishu", lambda: feishu("image", image_key="img_1"), (("image", "om_1/resources/img_1?type=image"),)),
    Row(
        "feishu",
        lambda: feishu("file", file_key="file_v3_1", file_name="发票.pdf"),
        (("发票.pdf", "om_1/resources/file_v3_1?type=file"),),
    ),
    Row("feishu", lambda: feishu("audio", file_key="f_1"), (("audio", "om_1/resources/f_1?type=file"),)),
    Row(
        "feishu",
        lambda: feishu("media", file_key="f_1", image_key="cover", file_name="a.mp4"),
        (("a.mp4", "om_1/resources/f_1?type=file"),),
    ),
    Row(
        "feishu",
        lambda: feishu("post", **POST),
        (("img", "om_1/resources/img_2?type=image"), ("media", "om_1/resources/f_3?type=file")),
    ),
    Row("feishu", lambda: feishu("sticker", file_key="f_1"), ()),
    Row("feishu", lambda: feishu("interactive", title="card"), ()),
    Row("feishu", lambda: feishu("image", image_key=7), ()),
    Row(
        "dingtalk",
        lambda: dingtalk("file", {"downloadCode": "a/b+c=", "fileName": "发票.pdf"}, robotCode="robot-1"),
        (("发票.pdf", "code=a%2Fb%2Bc%3D&robot=robot-1"),),
    ),
    Row("dingtalk", lambda: dingtalk("picture", {"downloadCode": "c"}, robotCode="normal"), (("picture", "code=c"),)),
    Row(
        "dingtalk",
        lambda: dingtalk("audio", {"downloadCode": "c", "recognition": "你好"}, robotCode=7),
        (("audio", "code=c"),),
    ),
    Row("dingtalk", lambda: dingtalk("richText", {"richText": [{"downloadCode": "p"}]}), (("picture", "code=p"),)),
    Row("dingtalk", lambda: dingtalk("interactiveCard", {}), ()),
    Row("wecom", lambda: wecom(MsgType="image", PicUrl="https://p.example.com/1", MediaId="m1"), (("image", "m1"),)),
    Row("wecom", lambda: wecom(MsgType="voice", MediaId="m2", Format="amr"), (("voice", "m2"),)),
    Row("wecom", lambda: wecom(MsgType="new-kind"), ()),
    Row(
        "wechat-official",
        lambda: wechat(MsgType="image", PicUrl="http://mmbiz.qpic.cn/mmbiz_jpg/1/0", MediaId="m1"),
        (("image", "http://mmbiz.qpic.cn/mmbiz_jpg/1/0"),),
    ),
    Row("wechat-official", lambda: wechat(MsgType="video", MediaId="m2", ThumbMediaId="m3"), (("video", "m2"),)),
    Row("weibo", lambda: weibo(type="image", data={"vfid": 1, "tovfid": 2}), (("image", "2"),)),
    Row("weibo", lambda: weibo(type="voice", data={"tovfid": 3}), (("voice", "3"),)),
    Row("weibo", lambda: weibo(type="new-kind", data="a string"), ()),
    Row("douyin", lambda: douyin(message_type="user_local_image"), (("user_local_image", IDS),)),
    Row("douyin", lambda: douyin(message_type="user_local_video"), (("user_local_video", IDS),)),
    Row("douyin", lambda: douyin(message_type="user_local_image", conversation_short_id=7), ()),
    Row(
        "douyin",
        lambda: douyin(message_type="emoji", resource_url="https://p3.douyinpic.com/e"),
        (("emoji", "https://p3.douyinpic.com/e"),),
    ),
    Row("douyin", lambda: douyin(message_type="image"), ()),
    Row("x", lambda: x(type="photo", media_url_https=DM), (("photo", DM),)),
    Row(
        "x",
        lambda: x(
            **film(
                {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/a.m3u8"},
                {"content_type": "video/mp4", "bitrate": 256_000, "url": "https://video.twimg.com/small.mp4"},
                {"content_type": "video/mp4", "bitrate": 832_000, "url": "https://video.twimg.com/large.mp4"},
                {"content_type": "video/mp4", "bitrate": "many", "url": "https://video.twimg.com/odd.mp4"},
                "odd",
            )
        ),
        (("video", "https://video.twimg.com/large.mp4"),),
    ),
    Row("x", lambda: x(type="video", media_url_https=DM, video_info="odd"), ()),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.provider}-{len(row.files)}")
def test_a_file_is_on_its_way_or_named_in_words(row: Row) -> None:
    said = read_one(built(row.provider), row.request())
    message = with_files(said)
    assert tuple((file.name, file.locator) for file in message.remote_files) == row.files
    assert len(message.reading_problems) == len(said.reading_problems) - len(row.files)
    assert len(said.reading_problems) == max(1, len(row.files))
