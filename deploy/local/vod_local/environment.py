"""What each process is told: its environment, computed from the topology and the addresses of this run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vod_local.errors import BadConfiguration
from vod_local.topology import Topology

SERVER_VARIABLES = {"postgres": "PG_DSN", "redis": "REDIS_URL", "nats": "NATS_URL"}

STREAM_NODE = "stream-node"
"""The service of which several can run."""

PUBLIC_BASE = "VOD_PUBLIC_BASE"
STREAM_PUBLIC_BASE = "VOD_STREAM_PUBLIC_BASE"

EVERYWHERE = {"", "0.0.0.0", "[::]"}  # noqa: S104  read, not bound


@dataclass(frozen=True, slots=True)
class StreamNode:
    """One of several stream nodes."""

    name: str
    """In URLs, and of its process."""
    rpc: str
    """`host:port`. A channel can't be spread over several Unix sockets, so this is a port on loopback."""
    http: str
    data: Path
    """Its data folder."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are in this run."""

    run: Path
    """Folder of the Unix sockets."""
    http: str
    """`host:port` of the gateway."""
    stream_http: str
    """`host:port` of the stream node."""
    servers: Mapping[str, str]
    """URL by name: postgres, redis, nats."""
    nodes: tuple[StreamNode, ...] = ()
    """When there are several; `stream_http` is the edge's then."""

    def grpc(self, service: str) -> str:
        """Give the address of a service's RPCs; of all its replicas where there are several."""
        if service == STREAM_NODE and self.nodes:
            return f"ipv4:{','.join(node.rpc for node in self.nodes)}"
        return f"unix:{self.run / f'{service}.sock'}"

    def ops(self, process: str) -> str:
        """Give the address of a process' /livez, /readyz and /metrics."""
        return f"unix:{self.run / f'{process}.ops.sock'}"


def base_url(listen: str) -> str:
    """Give the URL under which this machine reaches a listener; one that listens everywhere is reached on loopback."""
    host, _, port = listen.rpartition(":")
    return f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"


def stream_public_base(environ: Mapping[str, str], stream_http: str) -> str:
    """Give the base of stream URLs: the user's, else where the API is public with the streams' port, else this machine.

    Raises BadConfiguration when VOD_PUBLIC_BASE is no URL.
    """
    if chosen := environ.get(STREAM_PUBLIC_BASE):
        return chosen
    public = environ.get(PUBLIC_BASE)
    if not public:
        return base_url(stream_http)
    parts = urlsplit(public)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadConfiguration(f"{PUBLIC_BASE}={public} is not a URL like https://vod.example.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{stream_http.rpartition(':')[2]}"


def variable(service: str, what: str) -> str:
    """Give the name of a service's variable: `stream-node`, `TARGET` → `VOD_STREAM_NODE_TARGET`."""
    return f"VOD_{service.upper().replace('-', '_')}_{what}"


def process_environment(
    process: str,
    services: tuple[str, ...],
    *,
    topology: Topology,
    addresses: Addresses,
    shared: Mapping[str, str],
    environ: Mapping[str, str],
    node: StreamNode | None = None,
) -> dict[str, str]:
    """Give the environment of one process; *node*: which of several stream nodes is in it.

    The user's own variables stay; a process gets only the servers and the neighbours that its services need.
    `shared` (keys, data folder, upstreams) goes to all.
    """
    members = [topology.services[name] for name in services]
    own = _without(environ, SERVER_VARIABLES.values())
    stream = {STREAM_PUBLIC_BASE: stream_public_base(environ, addresses.stream_http)}
    told = {**_defaults(addresses), **own, **stream, **_listeners(addresses), **shared}
    for service in members:
        told |= {SERVER_VARIABLES[server]: addresses.servers[server] for server in service.needs}
        told |= {variable(neighbour, "TARGET"): addresses.grpc(neighbour) for neighbour in service.calls}
        if service.has_grpc:
            told[variable(service.name, "LISTEN")] = addresses.grpc(service.name)
    return {**told, **_of_node(node), "VOD_OPS_LISTEN": addresses.ops(process)}


def _defaults(addresses: Addresses) -> dict[str, str]:
    """Give what holds unless the user says otherwise."""
    return {
        PUBLIC_BASE: base_url(addresses.http),
        "VOD_NODE_NAME": "local",
        "PYTHONUNBUFFERED": "1",
        # Threads of libraries would each get a heap of their own that is never given back (mallopt(3)).
        "MALLOC_ARENA_MAX": "2",
    }


def _of_node(node: StreamNode | None) -> dict[str, str]:
    if node is None:
        return {}
    return {
        "VOD_NODE_NAME": node.name,
        variable(STREAM_NODE, "LISTEN"): node.rpc,
        "VOD_STREAM_HTTP_LISTEN": node.http,
        "VOD_DATA_DIR": str(node.data),
    }


def _listeners(addresses: Addresses) -> dict[str, str]:
    return {"VOD_HTTP_LISTEN": addresses.http, "VOD_STREAM_HTTP_LISTEN": addresses.stream_http}


def _without(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    hidden = set(names)
    return {name: value for name, value in environ.items() if name not in hidden}
