"""The life of the process."""

import logging

from ingest_files.settings import IngestFilesSettings
from ingest_files.wiring import wiring
from service_kit.life_cycle import run_service
from service_kit.log_setup import configure_logging
from service_kit.settings import load_settings


def main() -> None:
    """Read settings, log, run until told to stop."""
    settings = load_settings(IngestFilesSettings)
    configure_logging("ingest-files", settings.log_level, settings.log_format)
    for library in ("httpx", "httpcore"):  # at `debug` they show links and headers, which are secrets here
        logging.getLogger(library).setLevel(logging.WARNING)
    run_service("ingest-files", settings, wiring)


if __name__ == "__main__":
    main()
