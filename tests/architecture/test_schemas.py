"""One schema and one role per service: shown with the real migrations of all services, in one database."""

from itertools import permutations
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from vod_storage import postgres
from vod_testing import migrate_schema

SEED = {
    "catalog": {
        "series": {"id", "title", "kind", "external"},
        "episodes": {"id", "series_id", "season", "episode", "absolute_ep", "name", "runtime_s", "air_date"},
    },
    "picks": {
        "picks": {
            "id", "series_id", "season", "episode", "profile_hash", "infohash", "magnet", "release_group", "resolution",
            "codec", "file_index", "source_kind", "score", "picked_at", "replaces_pick_id",
        },
        "group_preferences": {"series_id", "preferred_group", "confidence"},
    },
    "search": {"search_cache": {"key", "candidates", "fetched_at"}},
    "playback": {
        "watch_progress": {
            "id", "subject_id", "series_id", "season", "episode", "position_s", "duration_s", "percent",
        },
        "devices": {"id", "capabilities"},
    },
}  # fmt: skip
"""The owner's tables and columns (section 2 of the manual); each has created_at and updated_at as well."""


def with_tables(topology: dict[str, dict[str, Any]], root: Path) -> list[str]:
    return [name for name in topology if (root / "services" / name / "migrations").is_dir()]


async def test_no_service_can_read_a_table_of_another(
    pg_dsn: str, topology: dict[str, dict[str, Any]], root: Path
) -> None:
    services = with_tables(topology, root)
    await migrate_schema(pg_dsn, *services)
    refused = []
    for reader, owner in permutations(services, 2):
        async with postgres(SecretStr(pg_dsn), schema=reader, max_size=1) as database:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await database.pool.fetch(f"SELECT * FROM {owner}.schema_migrations")
            refused.append((reader, owner))

    assert len(refused) == len(services) * (len(services) - 1) > 0


async def test_the_owners_tables_are_there_with_their_columns_and_touch_updated_at(pg_dsn: str) -> None:
    await migrate_schema(pg_dsn, *SEED)
    connection = await asyncpg.connect(pg_dsn, timeout=10)
    try:
        rows = await connection.fetch("SELECT table_schema, table_name, column_name FROM information_schema.columns")
        triggers = await connection.fetch(
            "SELECT event_object_schema AS s, event_object_table AS t FROM information_schema.triggers"
        )
    finally:
        await connection.close()
    columns: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        columns.setdefault((row["table_schema"], row["table_name"]), set()).add(row["column_name"])
    missing = {
        f"{schema}.{table}": lacking
        for schema, tables in SEED.items()
        for table, wanted in tables.items()
        if (lacking := (wanted | {"created_at", "updated_at"}) - columns.get((schema, table), set()))
    }
    untouched = {(s, t) for s, tables in SEED.items() for t in tables} - {(row["s"], row["t"]) for row in triggers}

    assert missing == {}
    assert untouched == set()
