"""Recordings that Asterisk's voicemail keeps: `<context>/<box>/INBOX/msg0000.wav` beside `msg0000.txt`.

Source of the text file's fields: asterisk/asterisk, apps/app_voicemail.c (`callerchan`, `origtime`, `duration`).
"""

import asyncio
from pathlib import Path

from ingest_pull.domain.call_so_far import CallSoFar
from ticket_intake.incoming import IncomingFile

# In the order of preference, when several formats are kept.
_FORMATS = {".wav": "audio/wav", ".WAV": "audio/wav", ".ogg": "audio/ogg", ".gsm": "audio/x-gsm"}
_SLACK_SECONDS = 5  # between the clock of the row and that of the recording
LARGEST_BYTES = 20 * 1024 * 1024  # 20 minutes of telephone quality in wav


class VoicemailFolder:
    """Finds a recording by the caller's channel and the time of the call: boxes renumber their messages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, call: CallSoFar) -> tuple[IncomingFile, int] | None:
        return await asyncio.to_thread(self._find, call)

    def _find(self, call: CallSoFar) -> tuple[IncomingFile, int] | None:
        box, _, context = (call.mailbox or "").partition("@")
        place = self._folder / (context or "default") / box
        # The box's name stands in somebody's log: it must not lead out of the folder.
        if not box or not place.resolve().is_relative_to(self._folder.resolve()):
            return None
        for described in sorted(place.glob("*/msg*.txt")):
            fields = _read_fields(described)
            if _is_of(call, fields):
                return _recording(described, fields)
        return None


def _is_of(call: CallSoFar, fields: dict[str, str]) -> bool:
    left_at = fields.get("origtime", "")
    if not left_at.isdecimal() or fields.get("callerchan") != call.channel:
        return False
    started, ended = call.started_at.timestamp(), call.ended_at.timestamp()
    return started - _SLACK_SECONDS <= int(left_at) <= ended + _SLACK_SECONDS


def _recording(described: Path, fields: dict[str, str]) -> tuple[IncomingFile, int] | None:
    for suffix, media_type in _FORMATS.items():
        recorded = described.with_suffix(suffix)
        if recorded.exists() and recorded.stat().st_size <= LARGEST_BYTES:
            duration = fields.get("duration", "")
            name = f"voicemail{suffix.lower()}"
            return IncomingFile(name, media_type, recorded.read_bytes()), int(duration) if duration.isdecimal() else 0
    return None


def _read_fields(described: Path) -> dict[str, str]:
    text = described.read_text(encoding="utf-8", errors="replace")
    pairs = (line.partition("=") for line in text.split("\n") if not line.startswith((";", "[")))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}
