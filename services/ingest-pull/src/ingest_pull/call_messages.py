"""From a complete call to its message: whose call it was, in one spelling, with what the caller left."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from msgspec.structs import replace
from pydantic import Field

from ingest_pull.domain.call_so_far import CallSoFar, Left
from ticket_intake.call_words import voicemail_text
from ticket_intake.incoming import IncomingFile, IncomingMessage
from ticket_intake.phone_calls import CallOptions, call_message, caller_person, spelled
from ticket_intake.phone_numbers import plain_number

MOST_CLOSED = 1000  # calls that wait for another leg; more only while a long backlog is read
LONGEST_OPEN = timedelta(hours=4)  # a caller's channel that has not ended by then never will: the switch was restarted


class SwitchOptions(CallOptions):
    """What every telephone system of ours has."""

    internal_numbers: re.Pattern[str] = Field(
        default=re.compile(r"\d{2,5}"),
        description="Pattern of our own extensions, matched whole: a call from one is an agent calling out",
    )
    settle_seconds: float = Field(
        default=10.0, ge=0, le=3600, description="How long after the last row of a call it counts as complete"
    )


class Voicemails(Protocol):
    """Where recordings of voicemail are."""

    async def find(self, call: CallSoFar) -> tuple[IncomingFile, int] | None:
        """Return what the caller left and its length in seconds."""
        ...


class NoVoicemails:
    async def find(self, call: CallSoFar) -> None:
        """There is no folder to look into."""


def nothing_left(_: CallSoFar) -> Left:
    return Left()


class CallMessages:
    """One source's way to write its calls."""

    def __init__(
        self,
        options: SwitchOptions,
        system: str,
        voicemails: Voicemails,
        left_of: Callable[[CallSoFar], Left] = nothing_left,
    ) -> None:
        """:param system: its name, for what stays there. :param left_of: recordings that ingest-files is to fetch."""
        self._options = options
        self._system = system
        self._voicemails = voicemails
        self._left_of = left_of

    async def finished(self, pending: dict[str, CallSoFar], now: datetime) -> list[IncomingMessage]:
        """Take the complete calls out of `pending`; one of our own extensions is nobody's message."""
        messages = [await self._message(pending.pop(call.call_id)) for call in self._complete(pending, now)]
        return [message for message in messages if message is not None]

    def _complete(self, pending: dict[str, CallSoFar], now: datetime) -> Sequence[CallSoFar]:
        settled = now - timedelta(seconds=self._options.settle_seconds)
        closed = [call for call in pending.values() if not call.is_open]
        excess = closed[: max(0, len(closed) - MOST_CLOSED)]
        ripe = [call for call in closed[len(excess) :] if call.seen_at <= settled]
        forgotten = [call for call in pending.values() if call.is_open and call.seen_at < now - LONGEST_OPEN]
        return [*excess, *ripe, *forgotten]

    async def _message(self, call: CallSoFar) -> IncomingMessage | None:
        # Our own extensions are told by what the switch wrote, before a number of the country is made of it.
        if self._options.internal_numbers.fullmatch(plain_number(call.caller)):
            return None
        caller, callee = (spelled(number, self._options.region) for number in (call.caller, call.callee))
        record = call.record(caller, callee)
        sender = caller_person(caller, record.call_id, call.caller_name)
        message = call_message(record, sender, self._options.language, call.ended_at)
        left = self._left_of(call)
        message = replace(message, remote_files=left.files, reading_problems=left.words)
        if left.voicemail:
            words = voicemail_text(caller, None, self._options.language)
            message = replace(message, text=f"{message.text}\n{words}")
        return message if call.mailbox is None else await self._with_voicemail(message, call, caller)

    async def _with_voicemail(self, message: IncomingMessage, call: CallSoFar, caller: str) -> IncomingMessage:
        found = await self._voicemails.find(call)
        if found is None:  # the caller may have left nothing; whoever reads the ticket can look
            problem = f"The caller reached voicemail box {call.mailbox}; a recording would be on {self._system}"
            return replace(message, reading_problems=(problem,))
        recording, seconds = found
        words = voicemail_text(caller, seconds, self._options.language)
        return replace(message, files=(recording,), text=f"{message.text}\n{words}")
