"""What the tests of the fakes share: a small world of their own, and a client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from vod_fakes.media import Profile
from vod_fakes.world import World, shared_folder, world


@pytest.fixture
async def outside() -> AsyncIterator[World]:
    """A world with small files; the files are made once per machine."""
    async with world(shared_folder(), profile=Profile.TINY) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client that follows no redirects."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        yield client
