"""Others who come and go while a viewer watches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from allinone import System, start
from stage import ANIME

_BETWEEN_SESSIONS = 0.1


@dataclass(slots=True)
class Crowd:
    """Others who start and end sessions all the time, so that a kill always hits somebody's call."""

    vod: System
    ended: list[str] = field(default_factory=list)
    """Sessions whose end was acknowledged."""

    async def come_and_go(self) -> None:
        """Start sessions and end them, until cancelled."""
        async with self.vod.client() as api:
            while True:
                with contextlib.suppress(httpx.HTTPError, AssertionError):
                    other = await start(api, ANIME, 1, 2)
                    answer = await api.post("/v1/session/ended", json={"sessionId": other["sessionId"]})
                    if answer.status_code == 200:
                        self.ended.append(str(other["sessionId"]))
                await asyncio.sleep(_BETWEEN_SESSIONS)


@asynccontextmanager
async def crowd(vod: System) -> AsyncIterator[Crowd]:
    """Let others come and go meanwhile."""
    others = Crowd(vod)
    async with asyncio.TaskGroup() as group:
        coming = group.create_task(others.come_and_go())
        yield others
        coming.cancel()
