"""What choosing asks at the same time, and how a failure of one of those questions comes out."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from vod_picks.choosing import Chooser, Found
from vod_picks.domain import Before, Episode, EpisodeKey, Evidence, Kind, Profile, Ranking, Release
from vod_picks.errors import NoPlayableRelease
from vod_picks.rejections import Rejection
from vod_rpc import Unavailable

KEY = EpisodeKey("tmdb:tv:9001", 1, 2)
RELEASE = Release("a" * 40, "Harbor.Lights.S01E02.1080p.WEB-DL.H264-NOVA", "magnet:?", "NOVA", "1080p", "h264", {})


@dataclass
class World:
    """All neighbours of a chooser. Each group of questions is answered when all of the group have been asked."""

    first: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(3))
    lookups: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(3))
    memory_fails: bool = False

    async def episode(self, key: EpisodeKey) -> Episode:
        await self.first.wait()
        return Episode(key, Kind.SERIES, ("Harbor Lights",))

    async def held(self) -> Set[str]:
        await self.first.wait()
        return frozenset()

    async def packs(self, series_id: str, *, profile_hash: str) -> Sequence[Release]:
        await self.first.wait()
        return []

    async def releases(self, episode: Episode, *, profile_hash: str) -> Found:
        return Found([RELEASE], [])

    async def before(self, episode: Episode, *, profile_hash: str) -> Before:
        await self.lookups.wait()
        return Before()

    async def evidence(self, releases: Sequence[Release]) -> Mapping[str, Evidence]:
        if self.memory_fails:
            raise Unavailable("The database is away.")
        await self.lookups.wait()
        return {one.infohash: Evidence() for one in releases}

    async def against(self, releases: Sequence[Release], *, key: EpisodeKey) -> Mapping[str, Rejection]:
        await self.lookups.wait()
        return {}

    async def rank(
        self, releases: Sequence[Release], *, episode: Episode, profile: Profile, before: Before
    ) -> Mapping[str, Ranking]:
        return {}


def chooser(world: Any) -> Chooser:
    return Chooser(
        catalog=world,
        search=world,
        scoring=world,
        nodes=world,
        history=world,
        memory=world,
        blocklist=world,
        enrich=lambda release, evidence: release,
        count_probe=lambda outcome: None,
    )


async def test_what_does_not_depend_on_each_other_is_asked_at_the_same_time() -> None:
    async with asyncio.timeout(timedelta(seconds=5).total_seconds()):
        with pytest.raises(NoPlayableRelease):
            await chooser(World()).choose(KEY, profile=Profile("p1", {}))


async def test_a_failure_of_one_of_several_questions_comes_out_as_it_is() -> None:
    async with asyncio.timeout(timedelta(seconds=5).total_seconds()):
        with pytest.raises(Unavailable):
            await chooser(World(memory_fails=True)).choose(KEY, profile=Profile("p1", {}))
