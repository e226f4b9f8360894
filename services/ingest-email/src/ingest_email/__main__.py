"""The ingest-email process."""

from ingest_email.settings import IngestEmailSettings
from ingest_email.wiring import wiring
from service_kit.life_cycle import run_service
from service_kit.log_setup import configure_logging
from service_kit.settings import load_settings


def main() -> None:
    settings = load_settings(IngestEmailSettings)
    configure_logging("ingest-email", settings.log_level, settings.log_format)
    run_service("ingest-email", settings, wiring)


if __name__ == "__main__":
    main()
