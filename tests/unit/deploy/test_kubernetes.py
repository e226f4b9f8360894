"""k8s/ agrees with the services it runs, and with itself."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry

from deploy.prepare import PrepareSettings
from service_kit.probes import Probes, Readiness
from service_kit.settings import ServiceSettings
from tests.support.workspace_services import ROOT, WorkspaceService, workspace_services
from tests.unit.deploy.environment import IMAGE_ENVIRONMENT, read_settings, unknown_variables
from tests.unit.deploy.manifests import (
    Manifest,
    container_of,
    environment_of,
    of_kind,
    pod_of,
    read_base,
    read_kustomization,
)

OVERLAYS = ["dev", "prod"]
OBJECTS = read_base()
DEPLOYMENTS = of_kind(OBJECTS, "Deployment")
JOB = of_kind(OBJECTS, "Job")["prepare"]


def rendered(overlay: str) -> list[Manifest]:
    """Build an overlay with kustomize itself; it reads files only, no cluster."""
    command = ["kubectl", "kustomize", str(ROOT / "k8s" / "overlays" / overlay)]
    return list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout))


@pytest.mark.parametrize("directory", ["base", "overlays/dev", "overlays/prod"])
def test_every_file_is_named_and_every_named_file_exists(directory: str) -> None:
    folder = ROOT / "k8s" / directory
    kustomization = read_kustomization(folder)
    named = {*kustomization["resources"], *(patch["path"] for patch in kustomization["patches"] if "path" in patch)}
    present = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert {name for name in named if Path(name).name == name} == present
    assert [name for name in named if not (folder / name).exists()] == []


@pytest.mark.parametrize("kind", ["Deployment", "Service", "PodDisruptionBudget"])
def test_there_is_one_for_each_service_and_it_selects_its_pods(kind: str) -> None:
    found = of_kind(OBJECTS, kind)
    assert found.keys() == {service.name for service in workspace_services()}
    for name, each in found.items():
        selector = each["spec"]["selector"]
        labels = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["labels"]
        assert selector.get("matchLabels", selector).items() <= labels.items()


@pytest.mark.parametrize("service", workspace_services(), ids=str)
def test_each_service_runs_its_own_image_with_all_settings_and_none_it_ignores(
    service: WorkspaceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = container_of(DEPLOYMENTS[service.name])
    assert container["image"] == f"firebreak/{service.name}"
    assert not container.keys() & {"command", "args"}, "the image's entry point is the console script"
    environment = environment_of(DEPLOYMENTS[service.name], OBJECTS)
    assert unknown_variables(service.settings, environment) == set()
    read_settings(service.settings, environment, monkeypatch)


def test_the_preparation_gets_all_settings_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert container_of(JOB)["command"] == ["python", "/app/prepare.py"]
    assert container_of(JOB)["image"] == "firebreak/router"
    environment = environment_of(JOB, OBJECTS)
    assert unknown_variables(PrepareSettings, environment) == set()
    read_settings(PrepareSettings, environment, monkeypatch)


@pytest.mark.parametrize("service", workspace_services(), ids=str)
def test_ports_and_probes_are_where_the_process_listens(
    service: WorkspaceService, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = container_of(DEPLOYMENTS[service.name])
    environment = environment_of(DEPLOYMENTS[service.name], OBJECTS)
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    mail = {name: environment.get(f"FIREBREAK_{name.upper()}_PORT") for name in ("smtp", "lmtp")}
    listening = {"http": environment["FIREBREAK_PORT"], **mail}
    assert ports == {name: port for name, port in listening.items() if port}
    assert environment["FIREBREAK_PORT"] == IMAGE_ENVIRONMENT["FIREBREAK_PORT"]
    paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/live", "liveness": "/live", "readiness": "/ready"}
    assert {container[f"{kind}Probe"]["httpGet"]["port"] for kind in paths} == {"http"}
    offered = of_kind(OBJECTS, "Service")[service.name]["spec"]["ports"]
    assert {port["targetPort"] for port in offered} == ports.keys()


def test_what_prometheus_scrapes_is_answered() -> None:
    answers = Probes(Readiness(asyncio.Event()), CollectorRegistry()).answers
    for deployment in DEPLOYMENTS.values():
        annotations = deployment["spec"]["template"]["metadata"]["annotations"]
        assert annotations["prometheus.io/path"] in answers
        assert annotations["prometheus.io/port"] == IMAGE_ENVIRONMENT["FIREBREAK_PORT"]


@pytest.mark.parametrize("service", workspace_services(), ids=str)
def test_the_stop_ends_before_kubernetes_kills(service: WorkspaceService, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = DEPLOYMENTS[service.name]
    settings = read_settings(service.settings, environment_of(deployment, OBJECTS), monkeypatch)
    assert isinstance(settings, ServiceSettings)
    assert settings.stop_seconds < pod_of(deployment)["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("workload", [*DEPLOYMENTS.values(), JOB], ids=lambda workload: workload["metadata"]["name"])
def test_every_pod_meets_the_restricted_standard_and_states_its_size(workload: Manifest) -> None:
    pod, container = pod_of(workload), container_of(workload)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_what_times_and_routes_survives_the_loss_of_a_pod() -> None:
    assert [DEPLOYMENTS[name]["spec"]["replicas"] for name in ("router", "sla-engine")] == [2, 2]


def test_only_who_uses_the_database_reaches_it() -> None:
    policy = of_kind(OBJECTS, "NetworkPolicy")["some-to-postgres"]["spec"]
    [expression] = policy["podSelector"]["matchExpressions"]
    users = {
        name
        for name, workload in {**DEPLOYMENTS, "prepare": JOB}.items()
        if "FIREBREAK_POSTGRES" in environment_of(workload, OBJECTS)
    }
    assert set(expression["values"]) == users


def test_every_listening_port_is_let_in_and_nothing_else() -> None:
    policies = of_kind(OBJECTS, "NetworkPolicy").values()
    let_in = {
        port["port"] for policy in policies for rule in policy["spec"].get("ingress", []) for port in rule["ports"]
    }
    listening = {
        port["containerPort"] for deployment in DEPLOYMENTS.values() for port in container_of(deployment)["ports"]
    }
    assert let_in == listening


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="only kubectl (kustomize) builds an overlay")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_each_overlay_builds_and_gives_every_process_its_settings(
    overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = rendered(overlay)
    deployments = of_kind(objects, "Deployment")
    for service in workspace_services():
        environment = environment_of(deployments[service.name], objects)
        assert unknown_variables(service.settings, environment) == set()
        read_settings(service.settings, environment, monkeypatch)
    read_settings(PrepareSettings, environment_of(of_kind(objects, "Job")["prepare"], objects), monkeypatch)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="only kubectl (kustomize) builds an overlay")
def test_the_base_that_these_tests_read_is_the_one_that_kustomize_builds() -> None:
    deployments = of_kind(rendered("prod"), "Deployment")
    for name, deployment in DEPLOYMENTS.items():
        ours, theirs = container_of(deployment), container_of(deployments[name])
        assert ours.keys() == theirs.keys()
        for part in ("livenessProbe", "readinessProbe", "startupProbe", "securityContext", "resources"):
            assert ours[part] == theirs[part]
        for part, field in (("ports", "name"), ("volumeMounts", "name"), ("env", "name")):
            assert sorted(each[field] for each in ours.get(part, [])) == sorted(
                each[field] for each in theirs.get(part, [])
            )
