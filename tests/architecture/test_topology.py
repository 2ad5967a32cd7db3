"""RPCs go down, events go up: shown from the topology, and the code is held to the topology."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

Topology = dict[str, dict[str, Any]]

PROTO_OF = {"stream-node": "stream"}
"""Where a service's proto package is not named like the service."""


def package(root: Path, service: str) -> Path:
    return root / "services" / service / f"vod_{service.replace('-', '_')}"


def imports(path: Path) -> set[str]:
    """Return the dotted names that a module imports, as `module.name` and `module`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_of(root: Path, service: str) -> set[str]:
    return set().union(*(imports(path) for path in package(root, service).rglob("*.py")))


def stubs_of(root: Path, service: str) -> set[str]:
    """Return the proto packages whose stubs a service makes."""
    found: set[str] = set()
    for path in package(root, service).rglob("*.py"):
        text = path.read_text()
        if re.search(r"\b\w+ServiceStub\(", text):
            modules = re.findall(r"vod\.(\w+)\.v1", text)
            stubs = re.findall(r"\b(\w+)ServiceStub\(", text)
            found |= {stub.lower() for stub in stubs if stub.lower() in modules}
    return found


def test_rpcs_only_go_down(topology: Topology) -> None:
    wrong = [
        (caller, callee)
        for caller, service in topology.items()
        for callee in service.get("calls", [])
        if topology[callee]["level"] <= service["level"]
    ]

    assert wrong == []


def test_events_only_go_up(topology: Topology) -> None:
    teller = {event: name for name, service in topology.items() for event in service.get("tells", [])}
    wrong = [
        (teller[event], event, name)
        for name, service in topology.items()
        for event in service.get("hears", [])
        if topology[teller[event]]["level"] <= service["level"]
    ]

    assert wrong == []


def test_every_service_has_a_folder_and_every_folder_a_service(root: Path, topology: Topology) -> None:
    folders = {path.name for path in (root / "services").iterdir() if (path / "pyproject.toml").exists()}

    assert set(topology) == folders


def test_a_service_makes_stubs_of_those_it_calls_and_of_no_others(root: Path, topology: Topology) -> None:
    declared = {
        name: {PROTO_OF.get(callee, callee) for callee in service.get("calls", [])}
        for name, service in topology.items()
    }
    # Replicas of one service may call each other: stream nodes do.
    made = {name: stubs_of(root, name) - {PROTO_OF.get(name, name)} for name in topology}

    assert declared == made


def test_no_service_imports_another(root: Path, topology: Topology) -> None:
    packages = {f"vod_{name.replace('-', '_')}": name for name in topology}
    wrong = [
        (service, name)
        for service in topology
        for name in imports_of(root, service)
        if packages.get(name.split(".")[0], service) != service
    ]

    assert wrong == []


def test_messages_are_used_only_from_the_same_level_down(root: Path, topology: Topology) -> None:
    """A service may speak of what is below it; what is above it, it does not know."""
    level = {PROTO_OF.get(name, name): service["level"] for name, service in topology.items()}
    heard = {name: {event.split(".")[0] for event in service.get("hears", [])} for name, service in topology.items()}
    wrong = [
        (service, proto)
        for service in topology
        for name in imports_of(root, service)
        for proto in re.findall(r"^vod\.(\w+)\.v1", name)
        if proto in level
        and proto != PROTO_OF.get(service, service)
        and level[proto] <= topology[service]["level"]
        and proto not in heard[service]
    ]

    assert wrong == []


def test_contracts_import_only_downwards(root: Path, topology: Topology) -> None:
    level = {PROTO_OF.get(name, name): service["level"] for name, service in topology.items()}
    wrong = [
        (path.parent.parent.name, used)
        for path in (root / "protos" / "vod").rglob("*.proto")
        for used in re.findall(r'import "vod/(\w+)/v1/', path.read_text())
        if used in level and used != path.parent.parent.name and level[used] <= level[path.parent.parent.name]
    ]

    assert wrong == []


@pytest.mark.parametrize("resource", ["postgres", "redis", "nats"])
def test_a_service_needs_what_it_opens(root: Path, topology: Topology, resource: str) -> None:
    opener = {"postgres": "vod_storage.postgres", "redis": "vod_storage.redis_client", "nats": "vod_events.event_bus"}
    needs = {name for name, service in topology.items() if resource in service.get("needs", [])}
    opens = {name for name in topology if opener[resource] in imports_of(root, name)}

    assert needs == opens


def test_the_groups_of_the_all_in_one_hold_every_service_once(root: Path, topology: Topology) -> None:
    groups = tomllib.loads((root / "deploy" / "topology.toml").read_text())["group"]
    grouped = [service for group in groups.values() for service in group]

    assert sorted(topology) == sorted(grouped)


def test_the_picture_in_the_readme_shows_the_topology(root: Path, topology: Topology) -> None:
    text = (root / "README.md").read_text()
    picture = text[text.index("```mermaid") :]
    picture = picture[: picture.index("```", 3)]
    solid = {
        (caller, callee)
        for caller, callees in re.findall(r"^\s*([\w-]+) --> (.+)$", picture, re.MULTILINE)
        for callee in re.split(r"\s*&\s*", callees.strip())
        if caller in topology
    }
    dotted = set(re.findall(r"^\s*([\w-]+) -\. ([\w., -]+) \.-> ([\w-]+)$", picture, re.MULTILINE))
    declared = {(name, callee) for name, service in topology.items() for callee in service.get("calls", [])}
    told = {
        (teller, ", ".join(event.split(".")[-1] for event in heard), name)
        for name, service in topology.items()
        for teller, other in topology.items()
        if (heard := [event for event in service.get("hears", []) if event in other.get("tells", [])])
    }

    assert (declared, told) == (solid, dotted)
