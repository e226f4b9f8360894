"""What ingest-files counts. Labels are closed lists and the sources file's names."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class FileMetrics:
    """Made once by wiring."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.files = Counter(
            "firebreak_files_total", "Files by what became of them", ("source", "state"), registry=registry
        )
        self.tries = Counter(
            "firebreak_file_tries_total", "Attempts that have to be repeated", ("source",), registry=registry
        )
        self.bytes = Counter("firebreak_file_bytes_total", "Bytes stored", registry=registry)
        self.waiting = Gauge("firebreak_files_waiting", "Files to be fetched, over all processes", registry=registry)
