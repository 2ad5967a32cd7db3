"""A service's schema in a test database."""

from vod_storage.migrate import migrate_services


async def migrate_schema(dsn: str, *services: str) -> None:
    """Bring the schemas of the named services up to date."""
    await migrate_services(dsn, services)
