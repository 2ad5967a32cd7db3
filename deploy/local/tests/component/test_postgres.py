import asyncio
import os
import signal
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from vod_local.errors import BadConfiguration, DataUnusable
from vod_local.process import LAUNCHER, serving
from vod_local.servers import Places, embedded_postgres, postgres
from vod_testing import eventually

NOBODY = 65534
COUNT = "SELECT count(*) FROM marks"
HOLD = """
import asyncio, sys
from pathlib import Path
from vod_local.servers import embedded_postgres

async def main() -> None:
    async with embedded_postgres(Path(sys.argv[1]), Path(sys.argv[2])) as dsn:
        print(dsn, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def mark(dsn: str) -> int:
    """Add a row; give how many there are."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS marks (at timestamptz)")
        await connection.execute("INSERT INTO marks VALUES (now())")
        count: int = await connection.fetchval(COUNT)
        return count
    finally:
        await connection.close()


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


async def ended(server: psutil.Process) -> None:
    def why_not_yet() -> str | None:
        return "postgres still runs" if server.is_running() and server.status() != psutil.STATUS_ZOMBIE else None

    await eventually(why_not_yet, within=60)


async def hold(folder: Path, *prefix: str) -> tuple[asyncio.subprocess.Process, str]:
    """Run a Postgres in a process of its own; give the process and the DSN."""
    command = (*prefix, sys.executable, "-c", HOLD, str(folder / "data"), str(folder / "run"))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    return process, (await process.stdout.readline()).decode().strip()


async def test_asking_whether_it_is_ready_leaves_no_complaint_about_a_role(short_tmp: Path) -> None:
    async with embedded_postgres(short_tmp / "data", short_tmp / "run"):
        pass
    log = (short_tmp / "run" / "postgres.log").read_text()

    assert "ready to accept connections" in log
    assert "does not exist" not in log


async def test_rows_are_still_there_after_a_restart(short_tmp: Path) -> None:
    async with embedded_postgres(short_tmp / "data", short_tmp / "run") as dsn:
        await mark(dsn)
    async with embedded_postgres(short_tmp / "data", short_tmp / "run") as dsn:
        count = await mark(dsn)

    assert count == 2


async def test_rows_are_still_there_after_kill_9(short_tmp: Path) -> None:
    server = await postgres(Places.beside(short_tmp / "data", short_tmp / "run"))
    async with serving(server.program) as process:
        await mark(server.url)
        process.kill()
        await process.wait()
    async with embedded_postgres(short_tmp / "data", short_tmp / "run") as dsn:
        count = await mark(dsn)

    assert count == 2


async def test_postgres_ends_when_its_supervisor_is_killed(short_tmp: Path) -> None:
    process, dsn = await hold(short_tmp)
    await mark(dsn)
    server = postmaster(short_tmp / "data")
    process.kill()
    await process.wait()

    await ended(server)


async def test_a_postgres_that_outlived_its_supervisor_is_ended_before_the_next_starts(short_tmp: Path) -> None:
    process, dsn = await hold(short_tmp)
    await mark(dsn)
    old = postmaster(short_tmp / "data")
    os.kill(process.pid, signal.SIGSTOP)  # it holds on to its Postgres, but does not look after it
    try:
        async with embedded_postgres(short_tmp / "data", short_tmp / "run") as dsn:
            count = await mark(dsn)
            new = postmaster(short_tmp / "data")
    finally:
        process.kill()
        await process.wait()

    assert count == 2
    assert new.pid != old.pid


async def test_a_pid_file_that_names_another_program_does_not_stop_the_start(short_tmp: Path) -> None:
    async with embedded_postgres(short_tmp / "data", short_tmp / "run"):
        stale = (short_tmp / "data" / "postgres" / "postmaster.pid").read_text().splitlines()
    # Of the same user: a number of somebody else's process would not keep Postgres from starting.
    user = (short_tmp / "data" / "postgres").stat().st_uid
    sleeper = await asyncio.create_subprocess_exec("sleep", "60", user=user if os.geteuid() == 0 else None)
    try:
        stale[0] = str(sleeper.pid)
        (short_tmp / "data" / "postgres" / "postmaster.pid").write_text("\n".join(stale) + "\n")
        async with embedded_postgres(short_tmp / "data", short_tmp / "run") as dsn:
            count = await mark(dsn)
    finally:
        sleeper.kill()
        await sleeper.wait()

    assert count == 1


async def test_an_interrupted_first_start_leaves_nothing_half_made(short_tmp: Path) -> None:
    unfinished = short_tmp / "data" / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    async with embedded_postgres(short_tmp / "data", short_tmp / "run") as dsn:
        count = await mark(dsn)

    assert count == 1
    assert not unfinished.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
async def test_as_root_it_runs_as_an_unprivileged_user_without_capabilities(short_tmp: Path) -> None:
    async with embedded_postgres(short_tmp / "data", short_tmp / "run"):
        server = postmaster(short_tmp / "data")
        status = proc_status(server.pid)

    assert "Uid:\t65534\t65534\t65534\t65534" in status
    if not open_to_nobody():
        return
    assert "CapEff:\t0000000000000000" in status


def proc_status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def open_to_nobody() -> bool:
    """Whether others may enter the folder of the environment; if not, Postgres keeps the right to open any file."""
    return all(folder.stat().st_mode & 0o001 for folder in Path(sys.prefix).resolve().parents)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
async def test_as_root_data_in_a_folder_that_nobody_may_enter_works(short_tmp: Path) -> None:
    closed = short_tmp / "closed"
    closed.mkdir(mode=0o700)
    async with embedded_postgres(closed / "data", closed / "run") as dsn:
        count = await mark(dsn)

    assert count == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
async def test_an_ordinary_user_can_run_it(short_tmp: Path) -> None:
    os.chown(short_tmp, NOBODY, NOBODY)
    # `any`: the Python of this environment may be in a folder of root's.
    as_nobody = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "9", f"{NOBODY}:{NOBODY}:any")
    process, dsn = await hold(short_tmp, *as_nobody)
    try:
        count = await mark(dsn)
        owner = (short_tmp / "data" / "postgres").stat().st_uid
        server = postmaster(short_tmp / "data")
    finally:
        process.terminate()
        await process.wait()
    # It still writes for a moment after its parent has ended.
    await ended(server)

    assert count == 1
    assert owner == NOBODY


async def test_data_of_another_major_version_is_refused(short_tmp: Path) -> None:
    cluster = short_tmp / "data" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("12\n")

    with pytest.raises(DataUnusable, match="made by PostgreSQL 12"):
        await postgres(Places.beside(short_tmp / "data", short_tmp / "run"))


async def test_a_runtime_folder_with_a_long_path_is_refused(short_tmp: Path) -> None:
    with pytest.raises(BadConfiguration, match="longer than 107 bytes"):
        await postgres(Places.beside(short_tmp / "data", short_tmp / ("x" * 100)))


async def test_settings_replace_those_of_the_lean_server(short_tmp: Path) -> None:
    async with embedded_postgres(short_tmp / "data", short_tmp / "run", {"work_mem": "1MB"}) as dsn:
        connection = await asyncpg.connect(dsn)
        work_mem, buffers, fsync = [
            await connection.fetchval(f"SHOW {name}") for name in ("work_mem", "shared_buffers", "fsync")
        ]
        await connection.close()

    assert (work_mem, buffers, fsync) == ("1MB", "32MB", "on")
