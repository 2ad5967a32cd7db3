"""Real servers from wheels, each as `async with embedded_x(data, run) as url`: PostgreSQL, Redis, NATS."""

from vod_local.servers.nats import embedded_nats, nats
from vod_local.servers.places import Places, Server
from vod_local.servers.postgres import embedded_postgres, postgres
from vod_local.servers.redis import embedded_redis, redis

__all__ = [
    "Places",
    "Server",
    "embedded_nats",
    "embedded_postgres",
    "embedded_redis",
    "nats",
    "postgres",
    "redis",
]
