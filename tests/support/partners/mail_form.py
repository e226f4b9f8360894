"""A form with a mail in it, as providers post it: `multipart/form-data`, every value in its own bytes."""

from collections.abc import Mapping

BOUNDARY = "xYzZY"


def multipart_form(fields: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Return the content type and the body."""
    parts = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (BOUNDARY.encode(), name.encode(), value)
        for name, value in fields.items()
    )
    return f"multipart/form-data; boundary={BOUNDARY}", parts + b"--%b--\r\n" % BOUNDARY.encode()
