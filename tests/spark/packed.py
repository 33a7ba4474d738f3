"""Our wheel, and an environment that has it."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from tests.conftest import ROOT

#: What executors run of a packed environment that is called `environment`.
PYTHON = "./environment/bin/python"


def wheel() -> Path:
    """The one that was built last."""
    wheels = (ROOT / "target" / "wheels").glob("millstream-*.whl")
    return max(wheels, key=lambda path: path.stat().st_mtime)


def pack(directory: Path, *packages: str) -> Path:
    """An archive of a virtual environment with our wheel, and other packages, as venv-pack makes it."""
    environment = directory / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    target = environment / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target)]
    subprocess.run([*install, "--no-deps", str(wheel())], check=True)
    if packages:
        subprocess.run([*install, *packages], check=True)
    packed = directory / "environment.tar.gz"
    with tarfile.open(packed, "w:gz") as file:
        file.add(environment, arcname=".")
    return packed
