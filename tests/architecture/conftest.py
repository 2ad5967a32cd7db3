"""What the architecture tests look at: the repository, and deploy/topology.toml."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def topology() -> dict[str, dict[str, Any]]:
    """The services by name."""
    services: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "deploy" / "topology.toml").read_text())["service"]
    return services
