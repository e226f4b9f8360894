"""The life of the process."""

from service_kit.life_cycle import run_service
from service_kit.log_setup import configure_logging
from service_kit.settings import load_settings
from sla_engine.settings import SlaEngineSettings
from sla_engine.wiring import wiring


def main() -> None:
    """Read settings, log, run until told to stop."""
    settings = load_settings(SlaEngineSettings)
    configure_logging("sla-engine", settings.log_level, settings.log_format)
    run_service("sla-engine", settings, wiring)


if __name__ == "__main__":
    main()
