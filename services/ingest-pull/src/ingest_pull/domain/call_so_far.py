"""A call of which not all is known yet: its legs come as separate rows, in any order, and together are one record."""

from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from ticket_contracts.messages import CallRecord, RemoteFile

_ID_LENGTH = 200  # of `Name` in the contracts
_CAUSE_LENGTH = 200
MOST_RECORDINGS = 20
"""Of one call: more are no call's, and the cursor holds them until it is complete."""


class Left(NamedTuple):
    """What a complete call left at its system: `files` to be fetched, `words` for the rest."""

    files: tuple[RemoteFile, ...] = ()
    words: tuple[str, ...] = ()
    voicemail: bool = False


class CallSoFar(BaseModel):
    """What the legs that were read say together. `seen_at` is our clock when the last one was read.

    Numbers are as the switch wrote them. `mailbox` is set when the caller reached a voicemail box; `recordings` are
    names of objects, with `has_voicemail` where the caller is known to have left one.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    call_id: str
    caller: str = ""
    caller_name: str = ""
    callee: str = ""
    channel: str = ""
    started_at: datetime
    ended_at: datetime
    answered: bool = False
    seconds: int = 0
    cause: str = ""
    mailbox: str | None = None
    recordings: tuple[str, ...] = ()
    has_voicemail: bool = False
    is_open: bool = False  # more is certain to follow: the caller's own channel still lives
    seen_at: datetime

    def with_leg(self, leg: "CallSoFar") -> "CallSoFar":
        """Join another leg: who called whom stands in the earliest, and one answered leg makes an answered call."""
        first, last = sorted((self, leg), key=lambda part: part.started_at)
        answered = self.answered or leg.answered
        recordings = tuple(dict.fromkeys((*first.recordings, *last.recordings)))
        return first.model_copy(
            update={
                "caller": first.caller or last.caller,
                "caller_name": first.caller_name or last.caller_name,
                "callee": first.callee or last.callee,
                "ended_at": max(self.ended_at, leg.ended_at),
                "answered": answered,
                "seconds": max(self.seconds, leg.seconds) if answered else 0,
                "cause": "" if answered else max(self, leg, key=lambda part: part.ended_at).cause,
                "mailbox": None if answered else self.mailbox or leg.mailbox,
                "recordings": recordings[:MOST_RECORDINGS],
                "has_voicemail": self.has_voicemail or leg.has_voicemail,
                "is_open": self.is_open and leg.is_open,
                "seen_at": max(self.seen_at, leg.seen_at),
            }
        )

    def record(self, caller: str, callee: str) -> CallRecord:
        """Return the record, with both numbers as `phone_calls.spelled`."""
        return CallRecord(
            call_id=self.call_id[:_ID_LENGTH],
            direction="inbound",
            answered=self.answered,
            caller=caller,
            callee=callee,
            started_at=self.started_at,
            seconds=self.seconds,
            hangup_cause=self.cause[:_CAUSE_LENGTH],
        )
