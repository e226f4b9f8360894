"""What the options of platforms have in common that sign a time and name whom a callback is for."""

from pydantic import Field

from ticket_intake.options import SourceOptions

# None of these platforms documents a window. Their repeats end within half a minute, so five minutes, the window of
# the schemes that do document one, loses none of them, even with a clock that is a little wrong.
TOLERANCE_SECONDS = 300
# A day: whoever needs more has a clock to repair.
MAX_TOLERANCE_SECONDS = 86_400


class SignedTimeOptions(SourceOptions):
    """A signed request is refused when its time is farther from ours than this."""

    tolerance_seconds: int = Field(default=TOLERANCE_SECONDS, ge=1, le=MAX_TOLERANCE_SECONDS)


class ReceiverOptions(SignedTimeOptions):
    """`receiver_id` is no secret: the platform shows it, and every encrypted text ends with it."""

    receiver_id: str = Field(pattern=r"^[!-~]{1,64}$")
