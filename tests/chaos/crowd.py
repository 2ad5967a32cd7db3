"""Others who come and go while a viewer watches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from allinone import System, start
from stage import ANIME

from vod_testing import eventually

_BETWEEN_SESSIONS = 0.1
_LEFT_WITHIN = 60.0


@dataclass(slots=True)
class Crowd:
    """Others who start and end sessions all the time, so that a kill always hits somebody's call."""

    vod: System
    started: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    """Sessions whose end was acknowledged."""

    async def come_and_go(self) -> None:
        """Start sessions and end them, until cancelled."""
        async with self.vod.client() as api:
            while True:
                with contextlib.suppress(httpx.HTTPError, AssertionError):
                    self.started.append(str((await start(api, ANIME, 1, 2))["sessionId"]))
                    await self._end(api, self.started[-1])
                await asyncio.sleep(_BETWEEN_SESSIONS)

    async def leave(self) -> None:
        """End all sessions whose end nobody acknowledged; some of them may have ended all the same."""
        async with self.vod.client() as api:

            async def why_not_all() -> str | None:
                for session in [one for one in self.started if one not in self.ended]:
                    with contextlib.suppress(httpx.HTTPError):
                        await self._end(api, session)
                left = set(self.started) - self.ended
                return f"not ended: {left}" if left else None

            await eventually(why_not_all, within=_LEFT_WITHIN)

    async def _end(self, api: httpx.AsyncClient, session: str) -> None:
        answer = await api.post("/v1/session/ended", json={"sessionId": session})
        if answer.status_code == 200:
            self.ended.add(session)


@asynccontextmanager
async def crowd(vod: System) -> AsyncIterator[Crowd]:
    """Let others come and go meanwhile."""
    others = Crowd(vod)
    async with asyncio.TaskGroup() as group:
        coming = group.create_task(others.come_and_go())
        yield others
        coming.cancel()
