"""compose.yaml agrees with the services it runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.prepare import PrepareSettings
from ingest_email.mailboxes import read_mailboxes
from ingest_webhook.sources import read_sources
from tests.support.partners.standard_webhooks import whsec
from tests.support.workspace_services import ROOT, WorkspaceService, workspace_services
from tests.unit.deploy.environment import API_KEY, DOCKERFILE, IMAGE_ENVIRONMENT, read_settings, unknown_variables
from tests.unit.ingest_pull.pulling import jobs_of
from ticket_store.configuration import load_directory

DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
_VARIABLE = re.compile(r"\$\{(\w+)[^}]*\}")


def environment_of(name: str) -> dict[str, str]:
    def value_of(variable: re.Match[str]) -> str:
        return API_KEY if variable[1] == "FIRST_API_KEY" else "0123456789abcdef"

    stated = {name: _VARIABLE.sub(value_of, value) for name, value in SERVICES[name]["environment"].items()}
    return IMAGE_ENVIRONMENT | stated if name != "prepare" else stated


def test_every_service_of_the_workspace_runs_in_its_own_image() -> None:
    built = {name: service["build"]["args"]["PACKAGE"] for name, service in SERVICES.items() if "build" in service}
    assert built.pop("prepare") == "router"
    assert built == {service.name: service.name for service in workspace_services()}


@pytest.mark.parametrize("service", workspace_services(), ids=str)
def test_each_service_gets_all_settings_it_needs_and_none_it_ignores(
    service: WorkspaceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = environment_of(service.name)
    assert unknown_variables(service.settings, environment) == set()
    read_settings(service.settings, environment, monkeypatch)


def test_the_preparation_gets_all_settings_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = environment_of("prepare")
    assert unknown_variables(PrepareSettings, environment) == set()
    read_settings(PrepareSettings, environment, monkeypatch)
    assert SERVICES["prepare"]["entrypoint"] == ["python", "/app/prepare.py"]
    assert "COPY deploy/prepare.py /app/prepare.py" in DOCKERFILE


def test_published_ports_are_ports_that_somebody_listens_on() -> None:
    for name, service in SERVICES.items():
        for published in service.get("ports", []):
            environment = environment_of(name)
            listening = {environment["FIREBREAK_PORT"], environment.get("FIREBREAK_SMTP_PORT")}
            assert published.rpartition(":")[2] in listening, f"{name} publishes {published}"
            assert published.startswith("127.0.0.1:"), "who opens this to a network does so knowingly"


def test_the_variables_to_fill_in_are_the_ones_that_are_used() -> None:
    example = (DEPLOY / "example" / "environment").read_text(encoding="utf-8")
    assert set(re.findall(r"^(\w+)=", example, re.MULTILINE)) == set(_VARIABLE.findall(TEXT))


def test_the_files_that_are_mounted_can_be_used() -> None:
    files = {name: DEPLOY / config["file"] for name, config in COMPOSE["configs"].items()}
    assert read_sources(files["sources"], {"SHOP_WEBHOOK_SECRET": whsec(b"0123456789" * 3)}).by_name
    assert jobs_of(files["pull-sources"], {})
    assert read_mailboxes(files["mailboxes"]).addresses()
    [mounted] = SERVICES["prepare"]["volumes"]
    assert load_directory(DEPLOY / Path(mounted.split(":")[0]))


def test_nothing_is_referred_to_that_does_not_exist() -> None:
    for name, service in SERVICES.items():
        configs = {config["source"] for config in service.get("configs", [])}
        volumes = {mount.split(":")[0] for mount in service.get("volumes", []) if not mount.startswith(".")}
        assert configs <= set(COMPOSE["configs"]), name
        assert volumes <= set(COMPOSE["volumes"]), name
        assert set(service.get("depends_on", {})) <= set(SERVICES), name
