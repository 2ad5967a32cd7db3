"""Migrations on a real PostgreSQL."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from vod_storage import postgres
from vod_storage.migrate import Migration, MigrationError, migrate, read_migrations


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_lamps.sql").write_text(
        "-- migrate:up\nCREATE TABLE lamps (id int PRIMARY KEY);\n\n-- migrate:down\nDROP TABLE lamps;\n"
    )
    return tmp_path


def migrations(folder: Path) -> list[Migration]:
    return read_migrations(folder)


async def test_a_schema_is_made_once_whatever_runs_at_the_same_time(pg_dsn: str, folder: Path) -> None:
    runs = [migrate(pg_dsn, schema="alpha", migrations=migrations(folder)) for _ in range(4)]

    applied = await asyncio.gather(*runs)

    assert sorted(applied) == [[], [], [], ["0001_lamps.sql"]]


async def test_a_service_reads_its_own_schema_and_no_other(pg_dsn: str, folder: Path) -> None:
    for schema in ("alpha", "beta"):
        await migrate(pg_dsn, schema=schema, migrations=migrations(folder))

    async with postgres(SecretStr(pg_dsn), schema="alpha") as database:
        assert await database.pool.fetchval("SELECT count(*) FROM lamps") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.pool.fetchval("SELECT count(*) FROM beta.lamps")


async def test_an_applied_file_may_not_change(pg_dsn: str, folder: Path) -> None:
    await migrate(pg_dsn, schema="alpha", migrations=migrations(folder))
    changed = folder / "0001_lamps.sql"
    changed.write_text(changed.read_text().replace("int", "bigint"))

    with pytest.raises(MigrationError, match="0001_lamps"):
        await migrate(pg_dsn, schema="alpha", migrations=migrations(folder))


async def test_a_schema_newer_than_the_code_is_refused(pg_dsn: str, folder: Path) -> None:
    await migrate(pg_dsn, schema="alpha", migrations=migrations(folder))

    with pytest.raises(MigrationError, match="0001"):
        await migrate(pg_dsn, schema="alpha", migrations=[])


async def test_a_failing_migration_leaves_nothing_behind(pg_dsn: str, folder: Path) -> None:
    (folder / "0002_broken.sql").write_text("-- migrate:up\nCREATE TABLE shades (id int);\nSELECT 1 / 0;\n")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(pg_dsn, schema="alpha", migrations=migrations(folder))

    (folder / "0002_broken.sql").write_text("-- migrate:up\nCREATE TABLE shades (id int);\n")
    assert await migrate(pg_dsn, schema="alpha", migrations=migrations(folder)) == ["0002_broken.sql"]


def test_a_file_that_is_not_of_the_form_is_named(tmp_path: Path) -> None:
    (tmp_path / "lamps.sql").write_text("CREATE TABLE lamps (id int);")

    with pytest.raises(MigrationError, match=r"lamps\.sql"):
        read_migrations(tmp_path)
