"""Asks the servers that the user names, with the drivers that the services use, whether they let us in.

usage: python -m vod_local.given_servers PG_DSN REDIS_URL NATS_URL   (those to be asked; their values are in the
environment, where other users can't read the passwords)
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from enum import Enum

import asyncpg
import nats
from nats.js.errors import ServiceUnavailableError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from vod_local.preflight import Findings

PATIENCE = timedelta(seconds=4)


class Need(Enum):
    """What it means when a server does not answer."""

    MUST = "nothing works without it"
    MAY = "everything works without it, only slower"


async def findings(variables: Sequence[str], environ: Mapping[str, str]) -> Findings:
    """Ask all the servers at the same time."""
    answers = await asyncio.gather(*(_ask(variable, environ[variable]) for variable in variables))
    return Findings(
        errors=[line for answer in answers for line in answer.errors],
        warnings=[line for answer in answers for line in answer.warnings],
    )


async def _ask(variable: str, url: str) -> Findings:
    """Never shows the URL: it may have a password in it. Errors of the drivers name host and user at most."""
    probe, need, example = SERVERS[variable]
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await probe(url)
    except TimeoutError:
        why = f"does not answer within {PATIENCE.total_seconds():.0f} s"
    except ValueError:  # its text may quote a part of the password
        return Findings([f"{variable} is not an address like {example}."], [])
    except OSError as failure:
        why = f"can't be reached: {failure.strerror or failure}"
    except (asyncpg.PostgresError, asyncpg.InterfaceError, nats.errors.Error, RedisError) as failure:
        why = f"can't be used: {' '.join(str(failure).split())}"
    else:
        return Findings([], [])
    line = f"The server of {variable} {why.rstrip('.')}"
    return Findings([], [f"{line}; {need.value}."]) if need is Need.MAY else Findings([f"{line}."], [])


async def _postgres(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT 1")
    finally:
        await connection.close()


async def _redis(url: str) -> None:
    async with Redis.from_url(url) as client:
        await client.ping()


async def _nats(url: str) -> None:
    troubles: list[Exception] = []

    async def note(trouble: Exception) -> None:
        troubles.append(trouble)

    try:
        client = await nats.connect(
            url, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0.1, error_cb=note
        )
    except nats.errors.NoServersError:
        raise (troubles or [ConnectionError("nobody answers")])[-1] from None
    try:
        await client.jetstream().account_info()
    except ServiceUnavailableError:
        raise ConnectionError("JetStream is off there (start it with -js)") from None
    finally:
        await client.close()


Probe = Callable[[str], Awaitable[None]]
SERVERS: Mapping[str, tuple[Probe, Need, str]] = {
    "PG_DSN": (_postgres, Need.MUST, "postgresql://user:password@host:5432/database"),
    "REDIS_URL": (_redis, Need.MAY, "redis://host:6379/0"),
    "NATS_URL": (_nats, Need.MUST, "nats://host:4222"),
}


if __name__ == "__main__":
    print(asyncio.run(findings(sys.argv[1:], os.environ)).as_json())
