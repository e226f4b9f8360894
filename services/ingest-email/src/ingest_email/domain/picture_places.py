"""Pictures that a page calls by their place (`Content-Location`, RFC 2557) instead of their Content-ID."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import unquote, urljoin

LONGEST_PLACE = 2000
"""Characters; a longer one is none. Cut off, it would be another picture's."""

_NOWHERE = "http://this-mail.invalid/"
"""Below it stand relative places that nothing makes absolute; so `./a.png` and `a.png` are one."""


def absolute(stated: str, base: str) -> str:
    """Return the place in the words of RFC 3986, empty when there is none."""
    if not stated or len(stated) > LONGEST_PLACE:
        return ""
    try:
        place = urljoin(base or _NOWHERE, stated)
    except ValueError:  # brackets that hold no IPv6 address
        return ""
    return place if len(place) <= LONGEST_PLACE else ""


def key_of(place: str) -> str:
    """The same for all spellings of a place: blanks come from folding (RFC 2557 §4.4), percent signs from care."""
    return "".join(unquote(place).split())


def invented_id(key: str) -> str:
    """A Content-ID for a picture that has none."""
    return f"{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}@place.invalid"


@dataclass(frozen=True, slots=True)
class PicturePlaces:
    """The pictures beside a page: their Content-IDs by the keys of their places. `base` is the page's own place."""

    ids: Mapping[str, str] = field(default_factory=dict)
    base: str = ""

    def picture_at(self, source: str) -> str | None:
        """Return the Content-ID of the picture that the page calls so, None when the mail has none there."""
        places = (absolute(source, base) for base in (self.base, ""))  # few programs make both absolute alike
        return next((self.ids[key] for key in map(key_of, places) if key in self.ids), None)
