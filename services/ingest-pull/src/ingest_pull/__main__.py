"""The life of the process."""

from ingest_pull.settings import IngestPullSettings
from ingest_pull.wiring import wiring
from service_kit.life_cycle import run_service
from service_kit.log_setup import configure_logging
from service_kit.settings import load_settings


def main() -> None:
    """Read settings, log, run until told to stop."""
    settings = load_settings(IngestPullSettings)
    configure_logging("ingest-pull", settings.log_level, settings.log_format)
    run_service("ingest-pull", settings, wiring)


if __name__ == "__main__":
    main()
