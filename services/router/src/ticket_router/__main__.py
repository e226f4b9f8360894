"""The life of the process."""

from service_kit.life_cycle import run_service
from service_kit.log_setup import configure_logging
from service_kit.settings import load_settings
from ticket_router.settings import RouterSettings
from ticket_router.wiring import wiring


def main() -> None:
    """Read settings, log, run until told to stop."""
    settings = load_settings(RouterSettings)
    configure_logging("router", settings.log_level, settings.log_format)
    run_service("router", settings, wiring)


if __name__ == "__main__":
    main()
