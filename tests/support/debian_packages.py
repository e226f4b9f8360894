"""Servers from Debian that tests run against; installed when missing, where that is possible."""

import os
import shutil
import subprocess

import pytest

CANNOT_RUN_HERE = "cannot run on this machine: "
"""Begins the reason of a skip that no green run can avoid; any other skip fails a run on CI."""

_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends")
_SECONDS = 240


def need(program: str, package: str) -> str:
    """Return the path of a program, from its package if need be; skip the test where it cannot be had."""
    if found := _find(program):
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"{CANNOT_RUN_HERE}{program} is missing; install the package {package}")
    for command in ((*_INSTALL, package), ("apt-get", "update"), (*_INSTALL, package)):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
        if found := _find(program):
            return found
    pytest.skip(f"{CANNOT_RUN_HERE}{package} cannot be installed: {done.stderr.strip()[-200:]}")


def _find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
