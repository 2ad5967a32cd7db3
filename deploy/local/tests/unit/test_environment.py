from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from vod_local.environment import Addresses, StreamNode, base_url, process_environment, stream_public_base, variable
from vod_local.errors import BadConfiguration
from vod_local.topology import Service, Topology

ADDRESSES = Addresses(
    run=Path("/run/n"),
    http="127.0.0.1:8080",
    stream_http="127.0.0.1:8081",
    servers={"postgres": "postgresql://x", "redis": "unix:///r", "nats": "nats://t@h"},
)


def service(name: str, *, calls: tuple[str, ...] = (), needs: tuple[str, ...] = ()) -> Service:
    return Service(name=name, level=0, has_grpc=name != "gateway", has_http=False, calls=calls, needs=needs)


SERVICES = [
    service("gateway", calls=("picks", "stream-node")),
    service("picks", calls=("stream-node",), needs=("postgres",)),
    service("stream-node"),
]
TOPOLOGY = Topology({one.name: one for one in SERVICES}, groups={})


def environment(
    *services: str, environ: Mapping[str, str] | None = None, shared: Mapping[str, str] | None = None
) -> dict[str, str]:
    return process_environment(
        "app", services, topology=TOPOLOGY, addresses=ADDRESSES, shared=shared or {}, environ=environ or {}
    )


def test_a_service_listens_where_others_call_it() -> None:
    told = environment("gateway", "picks")
    node = environment("stream-node")

    assert told["VOD_PICKS_LISTEN"] == told["VOD_PICKS_TARGET"] == "unix:/run/n/picks.sock"
    assert told["VOD_STREAM_NODE_TARGET"] == node["VOD_STREAM_NODE_LISTEN"] == "unix:/run/n/stream-node.sock"


def test_a_process_is_told_only_what_its_services_need() -> None:
    node = environment("stream-node", environ={"PG_DSN": "postgresql://own", "REDIS_URL": "redis://own"})

    assert {"PG_DSN", "REDIS_URL", "NATS_URL", "VOD_PICKS_TARGET"} & set(node) == set()
    assert environment("picks")["PG_DSN"] == "postgresql://x"


def test_the_users_variables_stay_and_beat_defaults() -> None:
    told = environment("gateway", environ={"TMDB_KEY": "k", "VOD_PUBLIC_BASE": "https://vod.example"})

    assert told["TMDB_KEY"] == "k"
    assert told["VOD_PUBLIC_BASE"] == "https://vod.example"


@pytest.mark.parametrize(
    ("environ", "base"),
    [
        ({}, "http://127.0.0.1:8081"),
        ({"VOD_PUBLIC_BASE": "https://vod.example"}, "https://vod.example:8081"),
        ({"VOD_PUBLIC_BASE": "http://user@vod.example:80/path"}, "http://vod.example:8081"),
        ({"VOD_PUBLIC_BASE": "http://[fd00::1]:80"}, "http://[fd00::1]:8081"),
        (
            {"VOD_PUBLIC_BASE": "https://vod.example", "VOD_STREAM_PUBLIC_BASE": "https://s.example"},
            "https://s.example",
        ),
        ({"VOD_PUBLIC_BASE": "https://vod.example", "VOD_STREAM_PUBLIC_BASE": ""}, "https://vod.example:8081"),
    ],
)
def test_streams_are_public_where_the_api_is_unless_said_otherwise(environ: dict[str, str], base: str) -> None:
    assert environment("stream-node", environ=environ)["VOD_STREAM_PUBLIC_BASE"] == base


def test_a_public_base_that_is_no_url_is_refused() -> None:
    with pytest.raises(BadConfiguration, match=r"VOD_PUBLIC_BASE=vod\.example is not a URL"):
        stream_public_base({"VOD_PUBLIC_BASE": "vod.example"}, "127.0.0.1:8081")


def test_the_demo_beats_the_users_upstreams() -> None:
    told = environment("gateway", environ={"TMDB_KEY": "real"}, shared={"TMDB_KEY": "demo"})

    assert told["TMDB_KEY"] == "demo"


def test_the_port_that_was_checked_is_the_port_that_is_used() -> None:
    told = environment("gateway", environ={"VOD_HTTP_LISTEN": "127.0.0.1:1"})

    assert told["VOD_HTTP_LISTEN"] == "127.0.0.1:8080"


def test_each_process_has_its_own_operators_endpoint() -> None:
    assert environment("gateway")["VOD_OPS_LISTEN"] == "unix:/run/n/app.ops.sock"


def test_a_dash_in_a_service_is_an_underscore_in_its_variables() -> None:
    assert variable("stream-node", "TARGET") == "VOD_STREAM_NODE_TARGET"


@pytest.mark.parametrize(
    ("listen", "url"),
    [("127.0.0.1:80", "http://127.0.0.1:80"), ("0.0.0.0:80", "http://127.0.0.1:80"), ("[::1]:80", "http://[::1]:80")],
)
def test_this_machine_reaches_a_listener_by_its_address(listen: str, url: str) -> None:
    assert base_url(listen) == url


def test_several_stream_nodes_are_told_apart_and_called_by_one_address() -> None:
    nodes = tuple(
        StreamNode(f"stream-node-{one}", rpc=f"127.0.0.1:{one}1", http=f"127.0.0.1:{one}2", data=Path(f"/d/{one}"))
        for one in (1, 2)
    )
    addresses = replace(ADDRESSES, nodes=nodes)

    def told(service: str, node: StreamNode | None = None) -> dict[str, str]:
        return process_environment(
            service,
            (service,),
            topology=TOPOLOGY,
            addresses=addresses,
            shared={"VOD_DATA_DIR": "/d"},
            environ={},
            node=node,
        )

    second = told("stream-node", nodes[1])
    assert told("picks")["VOD_STREAM_NODE_TARGET"] == "ipv4:127.0.0.1:11,127.0.0.1:21"
    assert (second["VOD_NODE_NAME"], second["VOD_DATA_DIR"]) == ("stream-node-2", "/d/2")
    assert (second["VOD_STREAM_NODE_LISTEN"], second["VOD_STREAM_HTTP_LISTEN"]) == ("127.0.0.1:21", "127.0.0.1:22")
    assert second["VOD_STREAM_PUBLIC_BASE"] == "http://127.0.0.1:8081"
