from pathlib import Path

import pytest

from vod_local.errors import BadConfiguration
from vod_local.topology import Grouping, read_topology

SMALL = """
[service.gateway]
level = 0
http = 8080
calls = ["stream-node"]
[service.stream-node]
level = 5
grpc = 7019
needs = ["redis"]
[group]
"""


def test_the_real_topology_puts_every_service_into_one_process() -> None:
    topology = read_topology()
    grouped = [service for group in topology.processes(Grouping.GROUPS).values() for service in group]

    assert sorted(grouped) == sorted(topology.services)


def test_bytes_have_a_process_of_their_own() -> None:
    assert read_topology().processes(Grouping.GROUPS)["stream"] == ("stream-node",)


def test_isolated_gives_each_service_its_own_process() -> None:
    topology = read_topology()

    assert topology.processes(Grouping.ISOLATED) == {name: (name,) for name in topology.services}


def test_a_service_that_is_in_no_group_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(SMALL + 'app = ["gateway"]\n')

    with pytest.raises(BadConfiguration, match="stream-node is in 0 groups"):
        read_topology(file)


def test_a_group_with_an_unknown_service_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text(SMALL + 'app = ["gateway", "stream-node", "sorces"]\n')

    with pytest.raises(BadConfiguration, match="no service sorces"):
        read_topology(file)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "topology.toml"
    file.write_text("[service")

    with pytest.raises(BadConfiguration, match=r"topology\.toml can't be read"):
        read_topology(file)
