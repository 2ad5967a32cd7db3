import asyncio
import stat
from pathlib import Path

import nats
import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from vod_local.process import serving
from vod_local.servers import Places, embedded_nats, embedded_redis
from vod_local.servers import nats as nats_server
from vod_local.servers.redis import is_there, redis_address
from vod_testing import eventually


def permissions(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


async def test_redis_answers_and_refuses_what_could_run_code(short_tmp: Path) -> None:
    async with embedded_redis(short_tmp / "data", short_tmp / "run") as url, Redis.from_url(url) as client:
        await client.set("a", "1")
        value = await client.get("a")
        refused = []
        for command in (("EVAL", "return 1", "0"), ("CONFIG", "GET", "dir"), ("MODULE", "LIST")):
            with pytest.raises(ResponseError, match="unknown command"):
                await client.execute_command(*command)
            refused.append(command[0])

    assert value == b"1"
    assert refused == ["EVAL", "CONFIG", "MODULE"]


async def test_redis_socket_is_closed_to_other_users(short_tmp: Path) -> None:
    async with embedded_redis(short_tmp / "data", short_tmp / "run") as url:
        mode = permissions(Path(url.removeprefix("unix://")))

    assert mode == 0o600


async def test_a_redis_is_seen_to_be_there_and_to_be_gone(short_tmp: Path) -> None:
    async with embedded_redis(short_tmp / "data", short_tmp / "run") as url:
        address = redis_address(url)

        async def why_not_there() -> str | None:
            """One that stands still for a second looks as if it were gone."""
            return None if await is_there(address) else "it does not answer"

        await eventually(why_not_there, within=30)
    after = await is_there(address)

    assert after is False


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://user:secret@cache.example:7000/1", "cache.example:7000"),
        ("redis://[::1]", "::1:6379"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix:/run/redis.sock"),
    ],
)
def test_the_address_of_a_redis_has_no_password_in_it(url: str, address: str) -> None:
    assert redis_address(url) == address


async def test_nats_does_not_let_anyone_in_without_the_token(short_tmp: Path) -> None:
    async with embedded_nats(short_tmp / "data", short_tmp / "run") as url:
        host, port = url.partition("@")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await reader.readline()  # INFO
        writer.write(b'CONNECT {"verbose": true}\r\n')
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()

    assert answer == b"-ERR 'Authorization Violation'\r\n"


async def test_acknowledged_messages_survive_kill_9_and_the_address_stays(short_tmp: Path) -> None:
    with nats_server(Places.beside(short_tmp / "data", short_tmp / "run")) as server:
        async with serving(server.program) as process:
            client = await nats.connect(server.url, connect_timeout=30)
            stream = client.jetstream(timeout=30)
            await stream.add_stream(name="MARKS", subjects=["marks"])
            await stream.publish("marks", b"1")
            await client.close()
            process.kill()
            await process.wait()
        async with serving(server.program):
            client = await nats.connect(server.url, connect_timeout=30)
            info = await client.jetstream(timeout=30).stream_info("MARKS")
            await client.close()

    assert info.state.messages == 1


async def test_nats_configuration_with_the_token_is_readable_by_its_owner_alone(short_tmp: Path) -> None:
    with nats_server(Places.beside(short_tmp / "data", short_tmp / "run")):
        mode = permissions(short_tmp / "run" / "nats.conf")

    assert mode == 0o600
