"""Marks over a real Redis: what one replica has, no other one keeps."""

from datetime import timedelta

from pydantic import SecretStr

from vod_prefetch.marks import RedisMarks
from vod_runtime import Runtime
from vod_storage import redis_client

MARK, LONG = "prefetch:session:tmdb:tv:9001:S01E02", timedelta(minutes=10)


async def test_who_was_refused_a_mark_has_it_as_soon_as_its_holder_gives_it_back(
    redis_url: str, runtime: Runtime
) -> None:
    async with redis_client(SecretStr(redis_url)) as first, redis_client(SecretStr(redis_url)) as second:
        holder, other = RedisMarks(first, runtime), RedisMarks(second, runtime)
        taken = [await holder.take(MARK, lasting=LONG), await other.take(MARK, lasting=LONG)]
        await holder.give_back(MARK)

        assert taken == [True, False]
        assert await other.take(MARK, lasting=LONG)
