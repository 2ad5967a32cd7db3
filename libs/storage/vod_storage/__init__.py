"""Where data rests: a pool per service bound to its own schema and role, migrations in plain SQL, and Redis."""

from vod_storage.postgres import Connection, Database, database_away, postgres
from vod_storage.redis import redis_client

__all__ = ["Connection", "Database", "database_away", "postgres", "redis_client"]
