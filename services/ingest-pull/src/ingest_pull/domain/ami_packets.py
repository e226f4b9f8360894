"""Packets of the Asterisk Manager Interface: lines of `Name: value`, ended by an empty one.

https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/AMI-v2-Specification/
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from ingest_pull.domain.asterisk_cdr import read_fields
from ingest_pull.domain.call_so_far import CallSoFar

# Source: asterisk/asterisk, cdr/cdr_manager.c. The last is there when `[mappings]` names it: `linkedid => LinkedID`.
_CDR_FIELDS = {
    "Source": "src",
    "Destination": "dst",
    "CallerID": "clid",
    "Channel": "channel",
    "DestinationChannel": "dstchannel",
    "LastApplication": "lastapp",
    "LastData": "lastdata",
    "StartTime": "start",
    "EndTime": "end",
    "BillableSeconds": "billsec",
    "Disposition": "disposition",
    "UniqueID": "uniqueid",
    "LinkedID": "linkedid",
}


def read_packet(lines: Iterable[str]) -> Mapping[str, str]:
    """Return the fields, the first of each name; a line that is no field is passed over.

    :param lines: as the exchange ended them. A caller's name may hold what else passes for a line break (U+2028), and
        must not add fields.
    """
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip(), value.strip())
    return fields


def write_packet(**fields: str) -> bytes:
    """Write an action. A value cannot add a field: its line breaks are dropped."""
    lines = [f"{name}: {''.join(value.splitlines())}\r\n" for name, value in fields.items()]
    return "".join((*lines, "\r\n")).encode()


def key_of(challenge: str, secret: str) -> str:
    """Return what proves the secret: the protocol's own MD5, which is why it belongs into TLS or a closed network."""
    return hashlib.md5(f"{challenge}{secret}".encode(), usedforsecurity=False).hexdigest()


def read_call(fields: Mapping[str, str], zone: ZoneInfo, now: datetime) -> CallSoFar | None:
    """Return what an event says about a call; None: nothing about how one went.

    :raises RowUnreadable:
    """
    match fields.get("Event"):
        case "Cdr":
            return read_fields({ours: fields.get(theirs, "") for theirs, ours in _CDR_FIELDS.items()}, zone, now)
        case "QueueCallerAbandon":
            return _abandoned(fields, now)
    return None


def _abandoned(fields: Mapping[str, str], now: datetime) -> CallSoFar:
    """Who gives up waiting; the call's record follows when the channel ends, and says the same."""
    number = fields.get("CallerIDNum", "")
    name = fields.get("CallerIDName", "")
    return CallSoFar(
        call_id=fields.get("Linkedid") or fields.get("Uniqueid", ""),
        caller="" if number == "<unknown>" else number,
        caller_name="" if name == "<unknown>" else name,
        callee=fields.get("Queue", ""),
        channel=fields.get("Channel", ""),
        started_at=now,
        ended_at=now,
        cause="ABANDON",
        seen_at=now,
    )
