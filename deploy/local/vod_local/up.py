"""`vod up`: everything on this machine, from the servers to the printed address."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from vod_local import demo, hints, ports, preflight
from vod_local.edge import edge, haproxy, make_folders, stream_nodes
from vod_local.environment import (
    PUBLIC_BASE,
    SERVER_VARIABLES,
    STREAM_NODE,
    STREAM_PUBLIC_BASE,
    Addresses,
    StreamNode,
    base_url,
    process_environment,
)
from vod_local.folders import Folders, data_folder, make_data_folder, open_log, run_folder
from vod_local.keys import installation_keys, secrets_file
from vod_local.lock import locked
from vod_local.ops import all_ready
from vod_local.process import SERVICE_READY_WITHIN, Program, run_to_end
from vod_local.progress import Progress, progress
from vod_local.record import ProcessRecord, RunRecord, remove_record, write_record
from vod_local.servers import Server, nats, postgres, redis
from vod_local.servers.redis import redis_address
from vod_local.supervisor import Supervisor
from vod_local.topology import Grouping, Topology, read_topology

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What the command line says."""

    data: Path | None
    port: int | None
    demo: demo.Choice
    grouping: Grouping
    stream_nodes: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One run: what was asked for, where it happens, and who is told about it."""

    options: UpOptions
    topology: Topology
    environ: Mapping[str, str]
    folders: Folders
    http: str
    stream_http: str
    display: Progress
    supervisor: Supervisor
    nodes: tuple[StreamNode, ...] = ()
    """Of several stream nodes; then the edge has `stream_http`."""


def main(options: UpOptions) -> int:
    """Run NovaStream until Ctrl-C or SIGTERM; give the exit code."""
    with progress(sys.stdout) as display:
        return asyncio.run(_until_signal(options, display))


async def _until_signal(options: UpOptions, display: Progress) -> int:
    """Turn the first signal into an orderly end, the second into an immediate one."""
    supervisor = Supervisor(display)
    work = asyncio.ensure_future(up(options, os.environ, display, supervisor))
    asked = asyncio.Event()

    def on_signal() -> None:
        if asked.is_set():
            supervisor.kill()
            return
        asked.set()
        display.say("Stopping … (once more: at once)")
        work.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    # Not `await work`: what we cancelled ourselves must not look like our own cancellation.
    await asyncio.wait({work})
    if work.cancelled():
        display.say("Stopped.")
        return 0
    work.result()
    return 0


async def up(options: UpOptions, environ: Mapping[str, str], display: Progress, supervisor: Supervisor) -> None:
    """Start everything, say where it is, and keep it running until cancelled.

    Raises LocalFailure (or a group of them) when the start does not succeed.
    """
    data = data_folder(options.data, environ)
    topology = read_topology()
    if options.stream_nodes > 1:
        haproxy()  # said before anything is made
    make_data_folder(data)
    with locked(data):
        http, stream_http = ports.listeners(options.port, environ)
        ports.check_free(http, ports.HTTP, environ)
        ports.check_free(stream_http, ports.STREAM_HTTP, environ)
        with run_folder(data, environ) as sockets, stream_nodes(options.stream_nodes, data) as nodes:
            make_folders(nodes)
            folders = Folders(data, sockets)
            run = Run(options, topology, environ, folders, http, stream_http, display, supervisor, nodes)
            await _preflight(run)
            async with _servers(run) as servers, _upstreams(run) as upstreams:
                await _migrate(run, servers)
                async with _services(run, servers, upstreams) as record:
                    display.say(_welcome(record, run))
                    await asyncio.Event().wait()


async def _preflight(run: Run) -> None:
    """Find mistakes in the environment before servers and a library are made for nothing."""
    everything = tuple(run.topology.services)
    addresses = Addresses(run.folders.run, run.http, run.stream_http, dict.fromkeys(SERVER_VARIABLES, "not-yet-known:"))
    settings = process_environment(
        "check", everything, topology=run.topology, addresses=addresses, shared=_shared(run, {}), environ=run.environ
    )
    log = open_log(run.folders.logs, "preflight")
    if warnings := await preflight.check(everything, settings=settings, environ=run.environ, log=log):
        run.display.say(warnings)
    if run.environ.get(PUBLIC_BASE) and not run.environ.get(STREAM_PUBLIC_BASE):
        run.display.say(
            f"{STREAM_PUBLIC_BASE} is not set: players are sent to {settings[STREAM_PUBLIC_BASE]}, after {PUBLIC_BASE}."
        )


@asynccontextmanager
async def _servers(run: Run) -> AsyncIterator[Mapping[str, str]]:
    """Give the URLs of postgres, redis and nats: the user's where set, embedded ones otherwise."""
    given = {name: run.environ[variable] for name, variable in SERVER_VARIABLES.items() if run.environ.get(variable)}
    places = run.folders.places
    embedded: dict[str, Server] = {}
    with ExitStack() as kept:
        if "postgres" not in given:
            run.display.starting("postgres")
            if not (places.data / "postgres").exists():
                run.display.note("postgres", "making the database")
            embedded["postgres"] = await postgres(places)
        if "redis" not in given:
            embedded["redis"] = redis(places)
        if "nats" not in given:
            embedded["nats"] = kept.enter_context(nats(places))
        programs = [_with_log(server.program, run.folders.logs) for server in embedded.values()]
        async with run.supervisor.keep(programs):
            yield {**given, **{name: server.url for name, server in embedded.items()}}


def _with_log(program: Program, logs: Path) -> Program:
    return replace(program, log=open_log(logs, program.name))


@asynccontextmanager
async def _upstreams(run: Run) -> AsyncIterator[Mapping[str, str]]:
    """Give the variables that point at TMDb, Prowlarr and the others: in demo mode at fakes, which run meanwhile."""
    if not demo.is_wanted(run.options.demo, run.environ):
        yield {}
        return
    world = demo.world(run.folders.data, open_log(run.folders.logs, demo.NAME), run.display)
    async with run.supervisor.keep([world]):
        told = demo.environment(run.folders.data)
        if replaced := demo.replaced(run.environ, told):
            run.display.say(
                f"The demo has its own upstreams and does not use your {', '.join(replaced)} "
                f"(that takes {' and '.join(demo.UPSTREAMS)}, or --no-demo)."
            )
        yield told


async def _migrate(run: Run, servers: Mapping[str, str]) -> None:
    name = "database schemas"
    run.display.starting(name)
    argv = (sys.executable, "-m", "vod_storage.migrate", *run.topology.needing("postgres"))
    environment = {**run.environ, "PG_DSN": servers["postgres"]}
    await run_to_end(name, argv, open_log(run.folders.logs, "migrate"), env=environment)
    run.display.ready(name)


@asynccontextmanager
async def _services(run: Run, servers: Mapping[str, str], upstreams: Mapping[str, str]) -> AsyncIterator[RunRecord]:
    """Run the processes of the services; gives the record that other commands read while they run."""
    addresses = Addresses(run.folders.run, run.http, run.stream_http, servers, run.nodes)
    shared = _shared(run, upstreams)
    processes, nodes = _processes(run)
    programs = [
        _host(run, name, services, addresses, shared, node=nodes.get(name)) for name, services in processes.items()
    ]
    if run.nodes:
        programs.append(edge(run.nodes, listen=run.stream_http, log=open_log(run.folders.logs, "edge")))
    async with run.supervisor.keep(programs):
        record = RunRecord(
            pid=os.getpid(),
            address=base_url(run.http),
            stream_address=base_url(run.stream_http),
            demo=bool(upstreams),
            processes={name: ProcessRecord(list(members), addresses.ops(name)) for name, members in processes.items()},
            servers={
                name: variable if run.environ.get(variable) else EMBEDDED for name, variable in SERVER_VARIABLES.items()
            },
            redis_address=redis_address(given) if (given := run.environ.get(SERVER_VARIABLES["redis"])) else None,
        )
        write_record(run.folders.data, record)
        try:
            yield record
        finally:
            remove_record(run.folders.data)


def _shared(run: Run, upstreams: Mapping[str, str]) -> dict[str, str]:
    """Give what all processes are told."""
    data = run.folders.data
    return {**upstreams, **installation_keys(data, run.environ), "VOD_DATA_DIR": str(data)}


def _processes(run: Run) -> tuple[dict[str, tuple[str, ...]], dict[str, StreamNode]]:
    """Give the services of each process by its name, and which processes are one of several stream nodes."""
    processes = run.topology.processes(run.options.grouping)
    if not run.nodes:
        return processes, {}
    others = {name: members for name, members in processes.items() if STREAM_NODE not in members}
    nodes = {node.name: node for node in run.nodes}
    return {**others, **dict.fromkeys(nodes, (STREAM_NODE,))}, nodes


def _host(
    run: Run,
    name: str,
    services: tuple[str, ...],
    addresses: Addresses,
    shared: Mapping[str, str],
    *,
    node: StreamNode | None,
) -> Program:
    ops = addresses.ops(name)
    environment = process_environment(
        name, services, topology=run.topology, addresses=addresses, shared=shared, environ=run.environ, node=node
    )
    return Program(
        name=name,
        argv=(sys.executable, "-m", "vod_runtime.host", *services),
        log=open_log(run.folders.logs, name),
        probe=lambda: all_ready(ops),
        env=environment,
        # Without us they have no database and nobody to tell: end at once. They are made to survive that.
        orphaned=signal.SIGKILL,
        ready_within=SERVICE_READY_WITHIN,
        stops_within=timedelta(seconds=15),
    )


def _welcome(record: RunRecord, run: Run) -> str:
    data = run.folders.data
    play, status = hints.vod("play", data), hints.vod("status", data)
    title = demo.TITLE if record.demo else "TITLE"
    lines = [
        "",
        f"NovaStream is ready: {record.address}   (API: {record.address}/v1/openapi.json)",
        "",
    ]
    if record.demo:
        lines += demo.EXPLANATION
    lines += [
        f'  Play:    {play} "{title}" S1E1',
        f"  State:   {status}",
        f"  Data:    {data}",
        f"           logs/ has what each process says, {secrets_file(data).name} has the keys",
        "  Stop:    Ctrl-C",
    ]
    return "\n".join(lines)
