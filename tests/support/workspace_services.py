"""The services of the workspace as their own files state them: what a test of all of them goes through."""

import tomllib
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from service_kit.settings import ServiceSettings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class WorkspaceService:
    """`name` is the folder, the distribution and the console script."""

    name: str
    settings: type[ServiceSettings]

    def __str__(self) -> str:
        return self.name


def workspace_services() -> list[WorkspaceService]:
    """Return every service, by name."""
    return [_read(file) for file in sorted(ROOT.glob("services/*/pyproject.toml"))]


def _read(file: Path) -> WorkspaceService:
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    [(script, entry)] = project["scripts"].items()
    assert script == project["name"] == file.parent.name, f"{file}: folder, distribution and script are one word"
    package = entry.partition(".")[0]
    found = vars(import_module(f"{package}.settings")).values()
    [settings] = [
        item
        for item in found
        if isinstance(item, type) and issubclass(item, ServiceSettings) and item is not ServiceSettings
    ]
    return WorkspaceService(script, settings)
