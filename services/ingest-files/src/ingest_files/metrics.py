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
        self.bytes = Counter("firebreak_file_bytes_total", "Bytes fetched and stored", registry=registry)
        self.waiting = Gauge(
            "firebreak_files_waiting",
            "Files to be fetched, and messages whose attachments are to be scanned, over all processes",
            ("work",),
            registry=registry,
        )
        self.scanner_away = Gauge("firebreak_scanner_away", "1 while the scanner answers nobody", registry=registry)
        self.storage_away = Gauge(
            "firebreak_file_storage_away", "1 while our object storage takes or gives nothing", registry=registry
        )
        self.storage_failures = Counter(
            "firebreak_file_storage_failures",
            "Files that our object storage did not take or give; none of them counts as a try of the file",
            ("reason",),
            registry=registry,
        )
        self.reloads = Counter(
            "firebreak_sources_reloads_total",
            "Readings of the sources file after the first",
            ("result",),
            registry=registry,
        )
