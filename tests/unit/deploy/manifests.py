"""Reads k8s/base as kustomize builds it, without kustomize; `test_kubernetes.py` compares the two where it is there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.workspace_services import ROOT
from tests.unit.deploy.environment import API_KEY, IMAGE_ENVIRONMENT, POSTGRES_URLS

BASE = ROOT / "k8s" / "base"
Manifest = dict[str, Any]

# By which field kustomize joins the entries of a list; every other list is replaced as a whole.
_JOINED_BY = {
    "containers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumes": "name",
}


def read_kustomization(directory: Path) -> Manifest:
    content: Manifest = yaml.safe_load((directory / "kustomization.yaml").read_text(encoding="utf-8"))
    return content


def read_base() -> list[Manifest]:
    """Return every object of the base, generated ConfigMaps without their hash, with the common patch applied."""
    kustomization = read_kustomization(BASE)
    patches = [yaml.safe_load((BASE / patch["path"]).read_text(encoding="utf-8")) for patch in kustomization["patches"]]
    objects = [
        found
        for name in kustomization["resources"]
        for found in yaml.safe_load_all((BASE / name).read_text(encoding="utf-8"))
    ]
    generated = [
        {
            "kind": "ConfigMap",
            "metadata": {"name": each["name"]},
            "data": dict(literal.split("=", 1) for literal in each["literals"]),
        }
        for each in kustomization["configMapGenerator"]
    ]
    return [_patched(found, patches) for found in objects] + generated


def of_kind(objects: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Return the objects of a kind by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] == kind}


def pod_of(workload: Manifest) -> Manifest:
    pod: Manifest = workload["spec"]["template"]["spec"]
    return pod


def container_of(workload: Manifest) -> Manifest:
    [container] = pod_of(workload)["containers"]
    found: Manifest = container
    return found


def environment_of(workload: Manifest, objects: list[Manifest]) -> dict[str, str]:
    """Return what the process sees, with samples for what operators put into secrets."""
    maps = of_kind(objects, "ConfigMap")
    container = container_of(workload)
    environment = dict(IMAGE_ENVIRONMENT) if workload["kind"] == "Deployment" else {}
    for source in container["envFrom"]:
        environment |= maps[source["configMapRef"]["name"]]["data"]
    for entry in container.get("env", []):
        environment[entry["name"]] = _value(entry, maps)
    return environment


def _value(entry: Manifest, maps: Mapping[str, Manifest]) -> str:
    if "value" in entry:
        return str(entry["value"])
    if "configMapKeyRef" in entry["valueFrom"]:
        reference = entry["valueFrom"]["configMapKeyRef"]
        return str(maps[reference["name"]]["data"][reference["key"]])
    reference = entry["valueFrom"]["secretKeyRef"]
    samples = {"firebreak-postgres": POSTGRES_URLS, "firebreak-first-api-key": {"key": API_KEY}}
    return samples[reference["name"]][reference["key"]]


def _patched(found: Manifest, patches: list[Manifest]) -> Manifest:
    if found["kind"] != "Deployment":
        return found
    name = found["metadata"]["name"]
    for patch in patches:
        found = _merged(found, patch)
    return found | {"metadata": found["metadata"] | {"name": name}}


def _merged(below: Manifest, above: Manifest) -> Manifest:
    merged = dict(below)
    for key, value in above.items():
        present = below.get(key)
        if isinstance(value, dict) and isinstance(present, dict):
            merged[key] = _merged(present, value)
        elif isinstance(present, list) and key in _JOINED_BY:
            merged[key] = _joined(present, value, _JOINED_BY[key])
        else:
            merged[key] = value
    return merged


def _joined(below: list[Manifest], above: list[Manifest], field: str) -> list[Manifest]:
    by_field = {entry[field]: entry for entry in below}
    for entry in above:
        by_field[entry[field]] = _merged(by_field.get(entry[field], {}), entry)
    return list(by_field.values())
