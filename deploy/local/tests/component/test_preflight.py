import asyncio
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest

from vod_local import preflight
from vod_local.errors import BadConfiguration
from vod_local.servers import embedded_nats
from vod_testing import migrate_schema

NOWHERE = "127.0.0.1:1"  # tcpmux: nobody listens there, and only root could
SETTINGS = {
    "PG_DSN": "postgresql://x",
    "REDIS_URL": "redis://x",
    "NATS_URL": "nats://x",
    "VOD_SECRET_KEY": "long enough for a key",
    "VOD_DATA_DIR": "/tmp",
}


async def check(
    folder: Path, *services: str, settings: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None
) -> str:
    return await preflight.check(
        services, settings=SETTINGS | dict(settings or {}), environ=environ or {}, log=folder / "preflight.log"
    )


async def test_good_settings_pass_without_a_word(tmp_path: Path) -> None:
    assert await check(tmp_path, "search", "stream-node", settings={"VOD_SEARCH_TARGET": "unix:/x"}) == ""


async def test_a_bad_value_is_told_with_its_variable_and_its_service(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"CACHE_TTL: .*timedelta.* \(search\)") as caught:
        await check(tmp_path, "search", "stream-node", settings={"CACHE_TTL": "banana"})

    assert caught.value.exit_code == 2


async def test_all_that_is_wrong_is_told_at_once_and_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = {"CACHE_TTL": "banana", "VOD_SECRET_KEY": "too-short", "VOD_LOG_LEVEL": "loud"}
    environ = {"PG_DSN": f"postgresql://me:hush@{NOWHERE}/db", "NATS_URL": f"nats://hush@{NOWHERE}"}
    with pytest.raises(BadConfiguration) as caught:
        await check(tmp_path, "search", "stream-node", settings=settings, environ=environ)
    message = str(caught.value)

    for variable in ("CACHE_TTL", "VOD_SECRET_KEY", "VOD_LOG_LEVEL", "PG_DSN", "NATS_URL"):
        assert variable in message
    assert "too-short" not in message
    assert "hush" not in message


async def test_variables_that_nobody_reads_are_named_in_one_line(tmp_path: Path) -> None:
    services = ("search", "stream-node")
    strange = {"VOD_CACHE_BYTE": "1", "VOD_COLOUR": "1", "VOD_SEARCH_TARGET": "unix:/x", "VOD_DATA_DIR": "/tmp"}
    warning = await check(tmp_path, *services, settings=strange)

    assert warning == "Nobody reads these variables: VOD_CACHE_BYTE (did you mean VOD_CACHE_BYTES?), VOD_COLOUR."


async def test_a_service_that_is_not_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"vod_nothing is not installed. Run `make install`. \(nothing\)"):
        await check(tmp_path, "nothing")


async def test_servers_that_answer_pass(tmp_path: Path, pg_dsn: str, redis_url: str, nats_url: str) -> None:
    environ = {"PG_DSN": pg_dsn, "REDIS_URL": redis_url, "NATS_URL": nats_url}

    assert await check(tmp_path, "stream-node", environ=environ) == ""


@pytest.mark.parametrize(
    ("variable", "url", "why"),
    [
        ("PG_DSN", f"postgresql://{NOWHERE}/db", "can't be reached"),
        ("PG_DSN", "postgresql://me:hu/sh@host/db", "is not an address like postgresql://"),
        ("NATS_URL", f"nats://{NOWHERE}", "can't be reached"),
        ("REDIS_URL", "localhost", "is not an address like redis://"),
    ],
)
async def test_a_server_that_is_not_there_is_told_with_its_variable(
    tmp_path: Path, variable: str, url: str, why: str
) -> None:
    with pytest.raises(BadConfiguration, match=f"{variable} {why}") as caught:
        await check(tmp_path, environ={variable: url})

    assert str(caught.value).count("\n") == 0


async def test_a_database_that_does_not_exist_is_told(tmp_path: Path, pg_dsn: str) -> None:
    with pytest.raises(BadConfiguration, match=r"PG_DSN can't be used: database .*nowhere.* does not exist"):
        await check(tmp_path, environ={"PG_DSN": in_database(pg_dsn, "nowhere")})


async def test_a_wrong_token_of_nats_is_told(tmp_path: Path, short_tmp: Path) -> None:
    async with embedded_nats(short_tmp / "data", short_tmp / "run") as url:
        stranger = f"nats://wrong@{url.partition('@')[2]}"
        with pytest.raises(BadConfiguration, match=r"NATS_URL can't be used: .*Authorization Violation"):
            await check(tmp_path, environ={"NATS_URL": stranger})


async def test_a_redis_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    warning = await check(tmp_path, "stream-node", environ={"REDIS_URL": f"redis://:hush@{NOWHERE}"})

    assert warning.startswith("The server of REDIS_URL can't be used")
    assert warning.endswith("everything works without it, only slower.")
    assert "\n" not in warning
    assert "hush" not in warning


def in_database(dsn: str, name: str) -> str:
    parts = urlsplit(dsn)
    return urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))


async def limited_user(dsn: str, *, member_of: str | None = None) -> str:
    """Make a user without rights; give its DSN."""
    name = f"limited_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
        if member_of:
            await connection.execute(f"GRANT {member_of} TO {name}")
    finally:
        await connection.close()
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, f"{quote(name)}:x@{place}", parts.path, parts.query, ""))


async def migrate(dsn: str) -> tuple[int | None, str]:
    """Migrate as `vod up` does; give the exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vod_storage.migrate", "picks"),
        env={"PG_DSN": dsn},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_a_user_without_rights_is_told_which_it_needs(pg_dsn: str) -> None:
    code, said = await migrate(await limited_user(pg_dsn))

    assert code == 1
    assert "the user of PG_DSN" in said
    assert "CREATEROLE, and CREATE on the database; or membership in vod_picks" in said
    assert said.count("\n") == 1


async def test_membership_is_enough_where_role_and_schema_exist(pg_dsn: str) -> None:
    await migrate_schema(pg_dsn, "picks")
    answer = await migrate(await limited_user(pg_dsn, member_of="vod_picks"))

    assert answer == (0, "picks: up to date\n")


async def test_migrations_without_a_database_say_so_in_one_line() -> None:
    code, said = await migrate(f"postgresql://me:hush@{NOWHERE}/db")

    assert code == 1
    assert said.startswith("not migrated: the database of PG_DSN can't be used")
    assert said.count("\n") == 1
    assert "hush" not in said
