"""Which file a telephone system may name as a call's recording: a sound below one folder that an administrator named.

A record of a call is written by dialplans and flows, into which callers speak and type: what it names is taken for a
name below that folder and for nothing else (docs/decisions/0041).
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

MOST_CHARACTERS = 1000
# Letters and digits of any script, and what dates, numbers and mailboxes are written with. No %, \, ? or #: a server
# that decodes twice would find another path in them.
SEGMENT = r"[\w+=@~-][\w+=@,~: .-]"
"""Pattern of one name in a path, but for how many of its last character there may be."""

_SEGMENT = re.compile(SEGMENT + "{0,199}")

SOUNDS: Mapping[str, str] = {
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
}
"""Media types by the ends of names; `.mp4` is none of them: it may be the screen of an agent."""


class NotARecording(ValueError):
    """What was named is not to be fetched; the message says why, to who reads the ticket."""


def place_below(folder: str, path: str) -> str:
    """Return the place of a recording within the folder, e.g. `default/1000/msg_1.wav`.

    :param folder: without a slash at its end.
    :raises NotARecording:
    """
    if not path.startswith(f"{folder}/"):
        raise NotARecording("it lies outside of the folder of recordings")
    # Templates of dialplans put a slash too many: `$${recordings_dir}/` and `/name`.
    return checked_place("/".join(filter(None, path.removeprefix(f"{folder}/").split("/"))))


def checked_place(place: str) -> str:
    """Return the place if it is one that `place_below` gives.

    :raises NotARecording:
    """
    if len(place) > MOST_CHARACTERS or not all(map(_SEGMENT.fullmatch, place.split("/"))):
        raise NotARecording("its name leads elsewhere, or has characters that no recording's name has")
    if sound_type(place) is None:
        raise NotARecording(f"its name does not end as that of a sound ({', '.join(SOUNDS)})")
    return place


def sound_type(place: str) -> str | None:
    """Return the media type, None where it is no sound."""
    return SOUNDS.get(sound_suffix(place))


def sound_suffix(place: str) -> str:
    return PurePosixPath(place).suffix.lower()
