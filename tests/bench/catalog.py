"""`make bench`: how long a series of 1,200 episodes takes to be listed, beside a request that does nothing."""

import statistics
import sys
import time

import httpx
from test_numbering import aniskip, api, tmdb

__all__ = ["aniskip", "api", "tmdb"]

ROUNDS = 15


async def milliseconds(client: httpx.AsyncClient, path: str, **params: str) -> float:
    started = time.perf_counter()
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - started) * 1000


async def test_twelve_hundred_episodes(api: httpx.AsyncClient) -> None:
    first = await api.get("/v1/episodes", params={"seriesId": "tmdb:tv:30983"})
    pairs = [
        (await milliseconds(api, "/v1/episodes", seriesId="tmdb:tv:30983"), await milliseconds(api, "/v1/healthz"))
        for _ in range(ROUNDS)
    ]
    ours, empty = (sorted(column) for column in zip(*pairs, strict=True))
    sys.stdout.write(
        f"\n{len(first.json())} episodes from a warm store: {statistics.median(ours):.1f} ms "
        f"({ours[1]:.1f} to {ours[-2]:.1f}; to be at most 150), an empty request {statistics.median(empty):.1f} ms\n"
    )

    assert len(first.json()) == 1200
