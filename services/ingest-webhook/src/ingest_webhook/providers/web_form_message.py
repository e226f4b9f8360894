"""What a filled form says."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from ingest_webhook.domain.form_fields import NotForm, clean_values, read_form_fields
from ingest_webhook.domain.multipart_form import FormFile, read_multipart_form
from ingest_webhook.rejections import Undecodable
from service_kit.problems import FieldProblem
from ticket_contracts.vocabulary import Channel, IdentityKind, MessageKind
from ticket_intake.clean_text import one_line
from ticket_intake.incoming import IncomingFile, IncomingMessage
from ticket_intake.message_data import Person
from ticket_intake.phone_numbers import e164, plain_number

MAX_LENGTH = 200  # as `Name` in the contracts
SUBJECT_LENGTH = 300
# Enough to answer to; whether it exists only the answer tells.
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


class FormRules(NamedTuple):
    """What one form allows and says; see `FormOptions`."""

    files: int
    file_bytes: int
    more_fields: Mapping[str, str]
    region: str | None
    may_auto_answer: bool


class Form(NamedTuple):
    """A form as it was filled."""

    values: Mapping[str, str]
    files: tuple[FormFile, ...]


def read_form(content_type: bytes, body: bytes) -> Form:
    """Read either of the two ways in which browsers send forms.

    :raises NotForm:
    """
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type == b"multipart/form-data":
        form = read_multipart_form(content_type, body)
        return Form(clean_values(form.fields), form.files)
    if media_type == b"application/x-www-form-urlencoded":
        return Form(clean_values(read_form_fields(body)), ())
    raise NotForm("is neither multipart/form-data nor application/x-www-form-urlencoded")


def compose_form_message(form: Form, message_id: str, rules: FormRules) -> IncomingMessage:
    """Build the message of a form; each form is a conversation of its own.

    :raises Undecodable: with each field at fault.
    """
    values = form.values
    problems = _file_problems(form.files, rules)
    text = values.get("message", "").replace("\r\n", "\n").strip()  # browsers send lines as HTTP wants them
    if not text:
        problems.append(_problem("message", "is empty", "Say what it is about"))
    sender = _sender(values, rules.region)
    if isinstance(sender, FieldProblem):
        raise Undecodable(sender, *problems)
    if problems:
        raise Undecodable(*problems)
    more = [f"{label}: {value}" for name, label in rules.more_fields.items() if (value := values.get(name, "").strip())]
    return IncomingMessage(
        kind=MessageKind.CREATED,
        channel=Channel.WEB,
        provider_id=message_id,
        conversation=message_id,
        sender=sender,
        subject=one_line(values.get("subject", "") or text, SUBJECT_LENGTH),
        text="\n".join((*more, "", text)) if more else text,
        files=tuple([IncomingFile(*file) for file in form.files]) if form.files else (),
        may_auto_answer=rules.may_auto_answer,
    )


def _sender(values: Mapping[str, str], region: str | None) -> Person | FieldProblem:
    name = one_line(values.get("name", ""), MAX_LENGTH)
    email = values.get("email", "").strip().lower()
    if email:
        if not _EMAIL.fullmatch(email) or len(email) > MAX_LENGTH:
            return _problem("email", "is no e-mail address", "Write it as name@example.com")
        return Person(kind=IdentityKind.EMAIL, value=email, name=name)
    phone = values.get("phone", "").strip()
    if not phone:
        return _problem("email", "is missing, and so is `phone`", "Say how we can answer")
    number = e164(plain_number(phone), region)
    if number is None:
        return _problem("phone", "is no telephone number", "Write it with its country, e.g. +86 138 0013 8000")
    return Person(kind=IdentityKind.PHONE, value=number, name=name)


def _file_problems(files: tuple[FormFile, ...], rules: FormRules) -> list[FieldProblem]:
    problems = [
        _problem("files", f"{one_line(file.name, MAX_LENGTH)} is too large", f"At most {rules.file_bytes} bytes each")
        for file in files
        if len(file.content) > rules.file_bytes
    ]
    if len(files) > rules.files:
        problems.append(_problem("files", "are too many", f"At most {rules.files}"))
    return problems


def _problem(field: str, message: str, fix: str) -> FieldProblem:
    return FieldProblem(field=f"body.{field}", message=message, fix=fix)
