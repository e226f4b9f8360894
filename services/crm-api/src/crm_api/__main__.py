"""The life of the process."""

from crm_api.settings import CrmApiSettings
from crm_api.wiring import wiring
from service_kit.life_cycle import run_service
from service_kit.log_setup import configure_logging
from service_kit.settings import load_settings


def main() -> None:
    """Read settings, log, run until told to stop."""
    settings = load_settings(CrmApiSettings)
    configure_logging("crm-api", settings.log_level, settings.log_format)
    run_service("crm-api", settings, wiring)


if __name__ == "__main__":
    main()
