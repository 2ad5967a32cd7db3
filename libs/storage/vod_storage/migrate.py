"""Migrations: numbered plain SQL files in dbmate's format, applied once each, in order, one replica at a time.

`python -m vod_storage.migrate picks playback` with PG_DSN set makes each service's role and schema and brings the
schema up to date. A file that was applied may never change: its checksum is kept.
"""

import argparse
import asyncio
import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from vod_storage.postgres import Connection, role_of

_NAME = re.compile(r"(?P<version>\d{4})_[a-z0-9_]+\.sql")
_UP = re.compile(r"^-- migrate:up\s*$(?P<sql>.*?)(?=^-- migrate:down|\Z)", re.MULTILINE | re.DOTALL)
_LOCK_WAIT = "60s"


class MigrationError(Exception):
    """A schema can't be brought up to date; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, what to run, and the checksum of the whole file."""

    version: str
    name: str
    sql: str
    checksum: str


def read_migrations(folder: Path) -> list[Migration]:
    """Return the folder's migrations in order.

    Raises:
        MigrationError: a file name or its content is not of dbmate's form, or a number is there twice.
    """
    found = [_read(path) for path in sorted(folder.glob("*.sql"))]
    versions = [migration.version for migration in found]
    if len(versions) != len(set(versions)):
        raise MigrationError(f"two migrations in {folder.name} have the same number")
    return found


def _read(path: Path) -> Migration:
    name = _NAME.fullmatch(path.name)
    text = path.read_text(encoding="utf-8")
    up = _UP.search(text)
    if not name or not up:
        raise MigrationError(f"{path.name}: the name must be like 0001_name.sql and the text have '-- migrate:up'")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Migration(version=name["version"], name=path.name, sql=up["sql"], checksum=checksum)


def migrations_folder(service: str) -> Path | None:
    """Return where a service's migrations are (in a wheel inside the package, in a checkout beside it), or None."""
    spec = importlib.util.find_spec(f"vod_{service.replace('-', '_')}")
    if spec is None or not spec.submodule_search_locations:
        raise MigrationError(f"no service {service!r} is installed here")
    package = Path(spec.submodule_search_locations[0])
    return next((at for at in (package / "migrations", package.parent / "migrations") if at.is_dir()), None)


async def migrate(dsn: str, *, schema: str, migrations: Sequence[Migration]) -> list[str]:
    """Make role and schema if need be, apply what is missing, and return the names of the applied files.

    Raises:
        MigrationError: the database can't be reached, its user may not do this, an applied file has changed, or the
            schema is newer than these files.
    """
    connection = await _connect(dsn)
    try:
        async with _locked(connection, schema):
            await _become_owner(connection, schema)
            await connection.execute(f"SET search_path TO {schema}")
            missing = await _missing(connection, schema, migrations)
            for migration in missing:
                await _apply(connection, migration)
            await connection.execute("RESET ROLE")
            return [migration.name for migration in missing]
    finally:
        await connection.close()


async def _connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(dsn, timeout=10.0)
    except ValueError as error:  # its text may quote a part of the password
        raise MigrationError("PG_DSN is not like postgresql://user:password@host:5432/database") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise MigrationError(f"the database of PG_DSN can't be used: {_in_one_line(error)}") from error


@asynccontextmanager
async def _locked(connection: Connection, schema: str) -> AsyncIterator[None]:
    key = int.from_bytes(hashlib.sha256(f"vod:{schema}".encode()).digest()[:8], "big", signed=True)
    await connection.execute(f"SET lock_timeout = '{_LOCK_WAIT}'")
    await connection.execute("SELECT pg_advisory_lock($1)", key)
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", key)


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


async def _become_owner(connection: Connection, schema: str) -> None:
    role = role_of(schema)
    try:
        await _make_schema(connection, schema)
        await connection.execute(f"SET ROLE {role}")
    except asyncpg.InsufficientPrivilegeError as error:
        user = await connection.fetchval("SELECT session_user")
        raise MigrationError(
            f"{user}, the user of PG_DSN, may not make the role {role} and the schema {schema} "
            f"({_in_one_line(error)}). It needs CREATEROLE, and CREATE on the database; "
            f"or membership in {role} where role and schema exist"
        ) from error


async def _make_schema(connection: Connection, schema: str) -> None:
    role = role_of(schema)
    if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
        # Another schema's run may make roles at the same moment; the loser's error is the winner's success.
        with suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateObjectError):
            await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    # A member can't grant, and CREATE SCHEMA asks for the right even where there is nothing left to do.
    if not await connection.fetchval("SELECT pg_has_role($1, 'SET')", role):
        await connection.execute(f"GRANT {role} TO CURRENT_USER WITH SET TRUE")
    if not await connection.fetchval("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema):
        await connection.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
        await connection.execute(f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")


async def _missing(connection: Connection, schema: str, migrations: Sequence[Migration]) -> list[Migration]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations "
        "(version text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = await connection.fetch("SELECT version, checksum FROM schema_migrations")
    applied = {row["version"]: row["checksum"] for row in rows}
    known = {migration.version for migration in migrations}
    if newer := sorted(set(applied) - known):
        raise MigrationError(f"schema {schema} has migrations that this release does not know: {', '.join(newer)}")
    for migration in migrations:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise MigrationError(f"{schema}/{migration.name} was changed after it had been applied")
    return [migration for migration in migrations if migration.version not in applied]


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '4s'")
        await connection.execute("SET LOCAL statement_timeout = '30s'")
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migrations (version, checksum) VALUES ($1, $2)", migration.version, migration.checksum
        )


async def migrate_services(dsn: str, services: Sequence[str]) -> dict[str, list[str]]:
    """Bring the schemas of all named services that have one up to date; return what was applied to each."""
    applied: dict[str, list[str]] = {}
    for service in services:
        folder = migrations_folder(service)
        if folder is not None:
            schema = service.replace("-", "_")
            applied[service] = await migrate(dsn, schema=schema, migrations=read_migrations(folder))
    return applied


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vod_storage.migrate", description=__doc__)
    parser.add_argument("service", nargs="+")
    dsn = os.environ.get("PG_DSN")
    services = parser.parse_args().service
    if not dsn:
        sys.exit("PG_DSN is not set: where is the database?")
    try:
        applied = asyncio.run(migrate_services(dsn, services))
    except MigrationError as error:
        sys.exit(f"not migrated: {error}")
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        sys.exit(f"not migrated: the connection to the database of PG_DSN is lost ({type(error).__name__})")
    for service, names in applied.items():
        sys.stdout.write(f"{service}: {', '.join(names) or 'up to date'}\n")


if __name__ == "__main__":
    main()
