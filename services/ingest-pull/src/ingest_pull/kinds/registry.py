"""The kinds of sources that an entry can name as its provider."""

from collections.abc import Callable, Mapping

from ingest_pull.kinds import asterisk_ami, asterisk_files, connect_records, csv_files, wecom_service
from ingest_pull.kinds.parts import JobParts
from ticket_stream.leased_jobs import Job

BuildJob = Callable[[JobParts], Job]
"""Raises pydantic's ValidationError for options that are wrong, OptionWrong and SecretsWrong."""

KINDS: Mapping[str, BuildJob] = {
    asterisk_files.CDR: asterisk_files.build_cdr,
    asterisk_files.QUEUE_LOG: asterisk_files.build_queue_log,
    asterisk_ami.KIND: asterisk_ami.build,
    connect_records.KIND: connect_records.build,
    csv_files.CSV: csv_files.build,
    wecom_service.KIND: wecom_service.build,
}

FILES_BESIDE: Mapping[str, str] = {csv_files.CSV: "mapping"}
"""Kinds with an option that names one more file to be read, and the option."""

WITH_FILES = frozenset({connect_records.KIND, wecom_service.KIND})
"""Kinds whose messages have files that ingest-files can fetch."""
