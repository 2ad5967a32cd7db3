"""Who really calls whom: the spans of real sessions through all services, hosted in this process."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from vod_fakes.media import Profile
from vod_fakes.world import World, shared_folder, world
from vod_local.ports import kept
from vod_runtime import Runtime
from vod_runtime.host import host, load_settings, service_module
from vod_testing import Edge, eventually, migrate_schema, rpc_edges

pytestmark = pytest.mark.timeout(300)
Topology = dict[str, dict[str, Any]]
SERIES = "tmdb:tv:9001"
FILM = "tmdb:movie:9101"
ADMIN_KEY = "the admin key of this test"


@pytest.fixture
def folder() -> Any:
    """A folder whose name is short enough for Unix sockets."""
    with tempfile.TemporaryDirectory(prefix="vod-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture
async def outside() -> AsyncIterator[World]:
    async with world(shared_folder(), profile=Profile.TINY) as outside:
        yield outside


@asynccontextmanager
async def hosted(names: list[str], make_runtime: Callable[[str], Runtime], *, ops: str) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        services = {name: (load_settings(name), make_runtime(name)) for name in names}
        for name in names:
            # As a host of its own does: what it takes to load code must not go off the time to connect.
            service_module(name, "service")
        group.create_task(host(services, ops_listen=ops, stop=stop))
        try:
            yield
        finally:
            stop.set()


@pytest.fixture
def listeners() -> Iterator[tuple[str, str, str]]:
    """Where the gateway and the stream node listen for HTTP, and where all of them tell how they are."""
    with kept(3) as ports:
        http, stream, ops = (f"127.0.0.1:{port}" for port in ports)
        yield http, stream, ops


@pytest.fixture
async def environment(  # noqa: PLR0917  fixtures have no other form
    topology: Topology,
    folder: Path,
    outside: World,
    listeners: tuple[str, str, str],
    pg_dsn: str,
    redis_url: str,
    nats_url: str,
) -> dict[str, str]:
    """What the services are told: the same as `vod up` tells them."""
    http, stream, ops = listeners
    told = {
        **outside.environment,
        "PG_DSN": pg_dsn,
        "REDIS_URL": redis_url,
        "NATS_URL": nats_url,
        "VOD_DATA_DIR": str(folder),
        "VOD_HTTP_LISTEN": http,
        "VOD_STREAM_HTTP_LISTEN": stream,
        "VOD_PUBLIC_BASE": f"http://{http}",
        "VOD_STREAM_PUBLIC_BASE": f"http://{stream}",
        "VOD_SECRET_KEY": "a secret of this test, long enough",
        "VOD_ADMIN_KEY": ADMIN_KEY,
        "VOD_OPS_LISTEN": ops,
        # A machine that stands still for a while must not look like indexers that do not answer, or a silent swarm.
        "VOD_SEARCH_INDEXER_DEADLINE": "10s",
        "VOD_PICKS_PROBE_SECONDS": "10",
    }
    for name in topology:
        variable = f"VOD_{name.upper().replace('-', '_')}"
        told |= {f"{variable}_{what}": f"unix:{folder}/{name}.sock" for what in ("LISTEN", "TARGET")}
    await migrate_schema(pg_dsn, *topology)
    return told


@pytest.fixture
async def api(
    environment: dict[str, str],
    topology: Topology,
    make_runtime: Callable[[str], Runtime],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[httpx.AsyncClient]:
    """All services, and a client of the gateway."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    base, ops = environment["VOD_PUBLIC_BASE"], environment["VOD_OPS_LISTEN"]
    async with (
        hosted(list(topology), make_runtime, ops=ops),
        httpx.AsyncClient(base_url=base, timeout=100, trust_env=False) as client,
    ):

        async def why_not() -> str | None:
            try:
                answer = await client.get(f"http://{ops}/readyz")
                return None if answer.is_success else answer.text
            except httpx.TransportError as error:
                return repr(error)

        await eventually(why_not, within=60)
        yield client


def traces(spans: InMemorySpanExporter) -> list[list[ReadableSpan]]:
    """Return the finished spans, trace by trace."""
    found: dict[int, list[ReadableSpan]] = {}
    for span in spans.get_finished_spans():
        if span.context is not None:
            found.setdefault(span.context.trace_id, []).append(span)
    return list(found.values())


def gone_along(spans: InMemorySpanExporter) -> set[tuple[str, str]]:
    """Return who called whom in all that has ended."""
    return {(edge.caller, edge.callee) for trace in traces(spans) for edge in rpc_edges(trace)}


def start_of(spans: InMemorySpanExporter) -> list[Edge]:
    """Return the edges of the newest session start."""
    all_edges = [rpc_edges(trace) for trace in traces(spans)]
    starts = [edges for edges in all_edges if any("StartSession" in edge.method for edge in edges)]
    return starts[-1]


async def begin(api: httpx.AsyncClient, episode: int, *, series: str = SERIES) -> dict[str, Any]:
    body = {"seriesId": series, "season": 1, "episode": episode, "deviceCaps": {"h264": True}}
    answer = await api.post("/v1/session/start", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_cold_start_goes_along_the_edges_of_the_topology_and_a_warm_one_makes_three_calls(
    api: httpx.AsyncClient, spans: InMemorySpanExporter, topology: Topology
) -> None:
    await begin(api, 3)
    cold = start_of(spans)
    spans.clear()
    await begin(api, 3)
    warm = start_of(spans)

    declared = {
        ("gateway", "playback"),
        *((caller, callee) for caller in ("playback", "picks") for callee in topology[caller]["calls"]),
        # Direct sources are asked for where there is no torrent, and for films; this is an episode that has one.
    } - {("playback", "sources")}
    assert declared == {(edge.caller, edge.callee) for edge in cold}
    assert {"catalog", "picks", "stream-node"} == {edge.callee for edge in warm if edge.caller == "playback"}
    assert len([edge for edge in warm if edge.caller != "gateway"]) == 3
    # Nobody asks the same question twice.
    assert max(Counter(edge for edge in cold if edge.method.rsplit("/")[-1] != "ProbeSwarm").values()) == 1


async def test_a_warm_start_of_a_film_asks_for_curated_sources_besides(
    api: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    await begin(api, 1, series=FILM)
    spans.clear()
    await begin(api, 1, series=FILM)

    warm = start_of(spans)
    assert sorted(edge.callee for edge in warm if edge.caller == "playback") == [
        "catalog",
        "picks",
        "sources",
        "stream-node",
    ]
    assert len([edge for edge in warm if edge.caller != "gateway"]) == 4


async def test_all_that_viewers_do_goes_along_the_edges_of_the_topology_and_uses_every_one(
    api: httpx.AsyncClient, spans: InMemorySpanExporter, topology: Topology
) -> None:
    await begin(api, 1, series=FILM)
    session = (await begin(api, 1))["sessionId"]

    async def why_not() -> str | None:
        # One that comes too late has no hint; the next one is the retry.
        answer = await api.post("/v1/session/heartbeat", json={"sessionId": session, "position_s": 5})
        hint = answer.json().get("nextHint")
        return None if hint and hint["ready"] else f"nextHint is {hint}"

    await eventually(why_not, within=60)
    admin = {"X-Api-Key": ADMIN_KEY}
    answers = [
        await api.get("/v1/titles", params={"query": "harbor"}),
        await api.get("/v1/episodes", params={"seriesId": SERIES}),
        await api.get(f"/v1/subtitles/{SERIES}:S01E02.vtt", params={"lang": "en"}),
        await api.get(f"/v1/picks/{SERIES}/1/1", headers=admin),
        await api.get("/v1/status", headers=admin),
        await api.get("/v1/session/next", params={"sessionId": session}),
        await api.get("/v1/resume"),
        await api.get(f"/v1/content/{SERIES}/watch"),
        await api.post("/v1/session/ended", json={"sessionId": session}),
    ]

    # Only an anime's subtitles are looked for by title, which the catalog knows; these ones nobody has.
    await api.get("/v1/subtitles/mal:anime:9201:S01E01.vtt")

    assert [200] * len(answers) == [answer.status_code for answer in answers]
    declared = {(name, callee) for name, service in topology.items() for callee in service.get("calls", [])}

    def why_not_all() -> str | None:
        """Prefetch does its part after the answers."""
        return f"nobody went along {unused}" if (unused := declared - gone_along(spans)) else None

    await eventually(why_not_all, within=60)
    assert declared == gone_along(spans)


async def test_preparing_the_next_episode_is_one_trace_from_the_event_on(
    api: httpx.AsyncClient, spans: InMemorySpanExporter
) -> None:
    session = (await begin(api, 1))["sessionId"]

    async def why_not() -> str | None:
        # When preparing fails, the next heartbeat is the retry.
        await api.post("/v1/session/heartbeat", json={"sessionId": session, "position_s": 5})
        for trace in traces(spans):
            edges = rpc_edges(trace)
            methods = {edge.method.rsplit("/")[-1] for edge in edges}
            # A heartbeat has no span of its own: it would cost more than the heartbeat.
            assert "RecordHeartbeat" not in methods
            if {"EnsurePick", "EnsurePin", "SetNextHint"} <= methods:
                return None
        return "no trace holds all of it"

    await eventually(why_not, within=60)


async def test_no_secret_is_in_a_span(api: httpx.AsyncClient, spans: InMemorySpanExporter, outside: World) -> None:
    started = await begin(api, 1)
    await api.get(started["streamUrl"], headers={"Range": "bytes=0-9"})
    token = started["streamUrl"].rsplit("/", 2)[1]
    secrets = [token, "magnet:?", outside.prowlarr.key, outside.tmdb.key, ADMIN_KEY]
    told = "\n".join(span.to_json() for span in spans.get_finished_spans())

    assert [secret for secret in secrets if secret in told] == []
