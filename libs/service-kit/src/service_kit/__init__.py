"""What every service has in common: settings, logging, tracing, health, metrics, life cycle, HTTP errors."""
