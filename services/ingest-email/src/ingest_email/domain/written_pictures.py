"""Pictures that stand in a page's own text (`data:`, RFC 2397): what webmail programs make of a pasted screenshot."""

import re
from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256

# No SVG: it is a document with scripts. Not bound to `<img`, so that nothing is searched twice; the cleaning of the
# page lets a source stand at pictures only. What stands between type and data are parameters, such as a name.
_WRITTEN = re.compile(
    r"""(\bsrc\s{0,9}=\s{0,9}["']?)data:(image/(?:png|jpe?g|gif|webp|bmp))"""
    r"""(?:;[\w.=%-]{1,100}){0,5};base64,([A-Za-z0-9+/=\s]+)""",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class WrittenPicture:
    """`inline_id` is what the page calls it from now on, as if it had come as a part of the mail (`cid:`)."""

    inline_id: str
    media_type: str
    content: bytes


def set_apart(page: str) -> tuple[str, list[WrittenPicture]]:
    """Return the page with each of its pictures referred to, and the pictures, each once."""
    if "data:" not in page.lower():  # most pages; a look is a tenth of the expression's time
        return page, []
    found: dict[str, WrittenPicture] = {}

    def referred_to(match: re.Match[str]) -> str:
        try:
            content = b64decode("".join(match[3].split()), validate=True)
        except ValueError:
            return match[0]  # nothing that could be shown
        name = f"{sha256(content).hexdigest()[:32]}@page.invalid"
        found.setdefault(name, WrittenPicture(name, match[2].lower(), content))
        return f"{match[1]}cid:{name}"

    return _WRITTEN.sub(referred_to, page), list(found.values())
