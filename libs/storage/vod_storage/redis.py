"""Redis, which holds only what may vanish; so its waits are short."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr
from redis.asyncio import Redis


@asynccontextmanager
async def redis_client(url: SecretStr) -> AsyncIterator[Redis]:
    """Open a client for *url* (`redis://host:port/0`, `unix:///path`); connects lazily, answers are bytes."""
    client = Redis.from_url(
        url.get_secret_value(), socket_timeout=0.5, socket_connect_timeout=0.5, health_check_interval=30
    )
    try:
        yield client
    finally:
        await client.aclose()
