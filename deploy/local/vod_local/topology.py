"""Reads deploy/topology.toml: which services there are, what they need, and which share a process."""

import tomllib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from vod_local.errors import BadConfiguration

TOPOLOGY = Path(__file__).parents[2] / "topology.toml"


class Grouping(Enum):
    """How services are put into processes."""

    GROUPS = "groups"
    """As `[group]` says."""
    ISOLATED = "isolated"
    """Each in its own."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the topology."""

    name: str
    level: int
    has_grpc: bool
    has_http: bool
    calls: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """The system on one page."""

    services: dict[str, Service]
    groups: dict[str, tuple[str, ...]]

    def processes(self, grouping: Grouping) -> dict[str, tuple[str, ...]]:
        """Give, by name of the process, the services in it."""
        if grouping is Grouping.ISOLATED:
            return {name: (name,) for name in self.services}
        return self.groups

    def needing(self, server: str) -> list[str]:
        """Give the services that need `postgres`, `redis` or `nats`."""
        return [service.name for service in self.services.values() if server in service.needs]


def read_topology(file: Path = TOPOLOGY) -> Topology:
    """Read the file.

    Raises BadConfiguration when it can't be read, or when a group and the services do not fit.
    """
    try:
        content = tomllib.loads(file.read_text())
        services = {name: _service(name, entry) for name, entry in content["service"].items()}
        groups = {name: tuple(members) for name, members in content["group"].items()}
    except (OSError, KeyError, tomllib.TOMLDecodeError) as failure:
        raise BadConfiguration(f"The topology {file} can't be read: {failure!r}.") from failure
    _check_groups(services, groups)
    return Topology(services, groups)


def _service(name: str, entry: dict[str, Any]) -> Service:
    return Service(
        name=name,
        level=entry["level"],
        has_grpc="grpc" in entry,
        has_http="http" in entry,
        calls=tuple(entry.get("calls", ())),
        needs=tuple(entry.get("needs", ())),
    )


def _check_groups(services: dict[str, Service], groups: dict[str, tuple[str, ...]]) -> None:
    members = [member for group in groups.values() for member in group]
    for service in services:
        if members.count(service) != 1:
            raise BadConfiguration(
                f"Service {service} is in {members.count(service)} groups of the topology; it must be in one."
            )
    if strangers := sorted(set(members) - set(services)):
        raise BadConfiguration(f"The topology has no service {', '.join(strangers)}, but a group names it.")
