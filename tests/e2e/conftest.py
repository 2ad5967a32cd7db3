"""The outside world and the all-in-one, started once for all end-to-end tests that do not break them."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from allinone import System, system

from vod_fakes.media import Profile
from vod_fakes.world import World, shared_folder, world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def outside() -> AsyncIterator[World]:
    """TMDb, Jikan, Prowlarr, OpenSubtitles, a tracker and a seeder, all real protocols on loopback."""
    async with world(shared_folder(), profile=Profile.TINY) as outside:
        yield outside


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def vod(outside: World) -> AsyncIterator[System]:
    """One process per service, shared by all tests that do not break it."""
    async with system(outside, "--isolate") as one:
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(vod: System) -> AsyncIterator[httpx.AsyncClient]:
    """A viewer on a device of their own."""
    async with vod.client() as client:
        yield client


@pytest.fixture(autouse=True)
def whole_swarm(outside: World) -> None:
    """Give the seeder its full rate back, whatever the test before did to it."""
    outside.seeder.limit_upload(0)
