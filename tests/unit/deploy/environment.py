"""Holds the environment that a deployment gives to a process against that process's settings."""

import os
import re
from collections.abc import Mapping

import pytest
from pydantic_settings import BaseSettings

from service_kit.api_keys import generate
from tests.support.workspace_services import ROOT

PREFIX = "FIREBREAK_"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
IMAGE_ENVIRONMENT = dict(re.findall(r"(FIREBREAK_\w+)=(\S+)", DOCKERFILE))

# What operators put into secrets.
API_KEY = generate(lambda size: bytes(range(size)))
POSTGRES_URLS = {
    "owner": "postgresql://firebreak:secret@postgres/firebreak",
    "router": "postgresql://firebreak_router:secret@postgres/firebreak",
    "sla-engine": "postgresql://firebreak_sla_engine:secret@postgres/firebreak",
    "ingest-files": "postgresql://firebreak_ingest_files:secret@postgres/firebreak",
    "crm-api": "postgresql://firebreak_crm_api:secret@postgres/firebreak",
    "ingest-email": "postgresql://firebreak_ingest_email:secret@postgres/firebreak",
    "ingest-pull": "postgresql://firebreak_ingest_pull:secret@postgres/firebreak",
}


def unknown_variables(settings: type[BaseSettings], environment: Mapping[str, str]) -> set[str]:
    """Return variables that the process would silently ignore."""
    known = {f"{PREFIX}{name}".upper() for name in settings.model_fields}
    return {name for name in environment if name.startswith(PREFIX)} - known


def read_settings(
    settings: type[BaseSettings], environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> BaseSettings:
    """Read the settings as the process will, which checks that none is missing and every value is valid."""
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings()
