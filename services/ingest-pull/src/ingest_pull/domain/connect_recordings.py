"""What a contact record of Amazon Connect says of its sound: objects of a bucket, `bucket/key`.

docs.aws.amazon.com/connect/latest/adminguide/ctr-data-model.html, "RecordingInfo": `Recordings`, and `Recording` of
older records. What callers say to a flow is recorded with the participant `IVR` (amazon-connect/
voicemail-express-amazon-connect, Code/vmx3_recording_processor.py). Which of it is a voicemail Connect does not say:
solutions set attributes of their own. No call is refused for what is told of its recordings.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ingest_pull.domain.call_so_far import MOST_RECORDINGS, CallSoFar, Left
from ticket_contracts.messages import RemoteFile
from ticket_intake.clean_text import clean_text, one_line
from ticket_intake.recording_files import MOST_CHARACTERS, NotARecording, checked_place, sound_suffix, sound_type

_SHOWN = 300  # characters of a location
# Voicemail Express, Docs/vmx_core.md: 1 when a caller leaves one, 0 once it was worked off.
_VOICEMAIL_EXPRESS, _FLAGGED = "vmx3_flag", ("0", "1")


class RecordingOptions(BaseModel):
    """Which recordings become files of the ticket."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    talks: bool = Field(
        default=False,
        description="Fetch recordings of answered calls too; those of calls that reached no agent always are",
    )
    voicemail_attribute: str = Field(
        default="",
        max_length=200,
        description="Contact attribute in which a voicemail solution of yours writes `s3://bucket/key`; '': none",
    )


class Recordings(NamedTuple):
    """Of one record. `voicemail` is set where an attribute says that the caller left one."""

    locations: tuple[str, ...]
    voicemail: bool


def recordings_of(document: Mapping[str, Any], attribute: str) -> Recordings:
    """Return what a record, already known to be one, names.

    :param attribute: as `voicemail_attribute`.
    """
    attributes = document.get("Attributes")
    said = attributes if isinstance(attributes, Mapping) else {}
    named = _text(said.get(attribute)).removeprefix("s3://") if attribute else ""
    if named:
        return Recordings((named,), voicemail=True)
    listed = document.get("Recordings")
    entries = [*(listed if isinstance(listed, list) else ()), document.get("Recording")]
    found = tuple(dict.fromkeys(location for entry in entries if (location := _location(entry))))
    return Recordings(found[:MOST_RECORDINGS], voicemail=said.get(_VOICEMAIL_EXPRESS) in _FLAGGED)


def left_of(call: CallSoFar, options: RecordingOptions, *, fetches_files: bool) -> Left:
    """Return what a complete call left: of an answered one nothing, unless the option says so."""
    if call.answered and not options.talks:
        return Left()
    voicemail = call.has_voicemail and not call.answered
    kind = "voicemail" if voicemail else "recording"
    files: list[RemoteFile] = []
    words: list[str] = []
    for location in call.recordings:
        reason = _not_fetched(location)
        if fetches_files and not reason:
            name = f"{kind}{sound_suffix(location)}"
            media_type = sound_type(location) or ""
            files.append(RemoteFile(number=len(files), name=name, locator=location, media_type=media_type))
        else:
            words.append(f"The {kind} stays at Amazon Connect: {one_line(location, _SHOWN)}{reason}")
    if voicemail and not call.recordings:
        words.append("The voicemail stays at Amazon Connect: the contact record names no recording")
    return Left(tuple(files), tuple(words), voicemail)


def _location(entry: object) -> str:
    """Return where a recording of sound is; empty for video, what was deleted, and live streams, which are no files."""
    if not isinstance(entry, Mapping):
        return ""
    media = entry.get("MediaStreamType") or entry.get("Type") or "AUDIO"
    live = "KINESIS" in str(entry.get("StorageType") or "").upper()
    if media != "AUDIO" or live or entry.get("Status") == "DELETED":
        return ""
    return _text(entry.get("Location"))


def _not_fetched(location: str) -> str:
    try:
        checked_place(location)
    except NotARecording as error:
        return f" (it is not fetched: {error})"
    return ""


def _text(value: object) -> str:
    return clean_text(value)[: MOST_CHARACTERS + 1].strip() if isinstance(value, str) else ""
