"""What a call record of FreeSWITCH says of its sound: paths of the switch's disk.

Source: signalwire/freeswitch, src/mod/applications/mod_voicemail/mod_voicemail.c (`voicemail_leave_main` sets
`voicemail_file_path` and `voicemail_message_len` once the message is kept), …/mod_callcenter/mod_callcenter.c
(`cc_record_filename`), src/mod/endpoints/mod_sofia/sofia.c (`sofia_record_file`). `record_session` leaves no variable:
its path stands in `app_log` only, expanded. Files are closed at the hang-up, before the record is written
(src/switch_core_state_machine.c).
"""

import re
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

from ingest_webhook.providers.freeswitch_body import CallDocument
from ingest_webhook.providers.left_behind import LeftBehind
from ingest_webhook.providers.recordings import Kind, recording_left
from ticket_intake.clean_text import one_line
from ticket_intake.phone_calls import MAX_SECONDS
from ticket_intake.recording_files import SEGMENT, NotARecording, place_below, sound_suffix

_RECORDED = ("cc_record_filename", "sofia_record_file")
_SHOWN = 300  # characters of a path
_LENGTH = re.compile(r"([0-9]{2,4}):([0-9]{2}):([0-9]{2})", re.ASCII)


class RecordingOptions(BaseModel):
    """Where recordings are on the switch, and which of them may be kept here."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    folder: str = Field(
        default="/var/lib/freeswitch",
        pattern=rf"^(/{SEGMENT}*)+$",
        description="Folder of the switch that `files.api` gives out; what lies elsewhere is not fetched",
    )
    talks: bool = Field(
        default=False, description="Fetch recordings of answered calls too; voicemails are fetched in any case"
    )


def voicemail_path(document: CallDocument) -> str:
    """Empty when the caller left none. Who listens to a mailbox has the path of the last one heard, and a folder."""
    path = document.variable("voicemail_file_path")
    return "" if path and document.variable("voicemail_current_folder") else path


def voicemail_seconds(document: CallDocument) -> int | None:
    """Read `00:00:12`; None where the switch does not say."""
    if (found := _LENGTH.fullmatch(document.variable("voicemail_message_len"))) is None:
        return None
    hours, minutes, seconds = map(int, found.groups())
    return min(hours * 3600 + minutes * 60 + seconds, MAX_SECONDS)


def recordings_left(
    document: CallDocument, options: RecordingOptions, voicemail: str, *, answered: bool
) -> tuple[LeftBehind, ...]:
    """Name the voicemail; of an answered call the recordings, where the option says so.

    :param voicemail: as `voicemail_path`.
    """
    if voicemail:
        return (_left("voicemail", voicemail, options),)
    if not (answered and options.talks):
        return ()
    return tuple(_left("recording", path, options) for path in dict.fromkeys(_recorded(document)))


def _recorded(document: CallDocument) -> Iterator[str]:
    yield from filter(None, map(document.variable, _RECORDED))
    for name, given in document.applications:
        if name == "record_session" and given:
            yield given.partition(" ")[0]  # a limit in seconds and variables may follow (mod_dptools.c)


def _left(kind: Kind, path: str, options: RecordingOptions) -> LeftBehind:
    shown = one_line(path, _SHOWN)
    try:
        place = place_below(options.folder, path)
    except NotARecording as error:
        return recording_left("the switch", kind, f"{shown} (it is not fetched: {error})")
    return recording_left("the switch", kind, shown, place, suffix=sound_suffix(place))
