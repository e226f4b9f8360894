"""What the sample customers say. The first is an emergency: nobody answers it, so its alarm can be seen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShopForm:
    """A form of the web shop, as a signed webhook."""

    sender_email: str
    sender_name: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message in the Slack channel shared with a dealer. `thread` is the `ts` it answers."""

    user: str
    text: str


@dataclass(frozen=True, slots=True)
class MissedCall:
    """A call that nobody took, as FreeSWITCH reports it."""

    caller: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail. `answers` is the place in the list of the mail that it belongs to."""

    sender: str
    subject: str
    text: str
    answers: int | None = None


EMERGENCY = ShopForm(
    sender_email="zhao.min@customers.example",
    sender_name="赵敏",
    subject="热水器冒烟",
    text="您好，我家的 AH-60 热水器刚才冒烟，还有烧焦的味道。我已经拔了电源，请马上联系我。",
)
SHOP_FORMS = (
    EMERGENCY,
    ShopForm(
        sender_email="paula.reyes@customers.example",
        sender_name="Paula Reyes",
        subject="Exchange for a larger filter",
        text="I ordered the 20 cm filter by mistake. Can I exchange it for the 25 cm one before it ships?",
    ),
)
SLACK_MESSAGES = (
    SlackMessage(user="U0DEALER7", text="三号仓的洗衣机有两台漏水，外箱完好，应该是出厂问题。麻烦安排维修。"),
)
MISSED_CALLS = (MissedCall(caller="+8613800138000", caller_name="周岩"),)
MAILS = (
    Mail(
        sender="Ingrid Solheim <ingrid@customers.example>",
        subject="Third time: dishwasher E24 again",
        text=(
            "Hello,\n\nthis is the third time I write about error E24 on my AD-450. The repair in October did not last "
            "a week.\n\nPlease tell me when somebody comes.\n\nIngrid Solheim"
        ),
    ),
    Mail(
        sender="Ingrid Solheim <ingrid@customers.example>",
        subject="Re: Third time: dishwasher E24 again",
        text="One more thing: the serial number is AD450-22-118034, bought on 3 March.",
        answers=0,
    ),
    Mail(
        sender="孙立 <sunli@customers.example>",
        subject="发票抬头写错了",
        text="订单 20261107-3391 的发票抬头写成了个人，请帮我改成公司：北京云杉科技有限公司。谢谢。",
    ),
)
TICKETS = len(SHOP_FORMS) + len(SLACK_MESSAGES) + len(MISSED_CALLS) + sum(mail.answers is None for mail in MAILS)
"""How many tickets come of them: an answer joins the ticket of its question."""
