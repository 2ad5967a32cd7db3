"""Recipes: what a node must know of a torrent to stream it, as another node left it.

A recipe is libtorrent's resume data without pieces: trackers, and the metadata once it is known. Put where a torrent's
resume data lies, the engine starts from it like after a restart. It is a secret: trackers may carry a passkey.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

import libtorrent as lt

from vod_stream_node.domain import Infohash
from vod_stream_node.magnets import Reach, rebuild
from vod_stream_node.ownership import Ownership
from vod_stream_node.store import TorrentStore


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is left for others."""

    data: bytes
    has_metadata: bool


def from_magnet(magnet: str) -> Recipe:
    """Return the recipe of a torrent of which only the (rebuilt) magnet is known."""
    return Recipe(lt.write_resume_data_buf(lt.parse_magnet_uri(magnet)), has_metadata=False)


def from_resume(resume: bytes) -> Recipe | None:
    """Return the recipe of a torrent with this resume data, None when libtorrent can't read it."""
    try:
        known = lt.read_resume_data(resume)
    except RuntimeError:  # what the binding raises for data that libtorrent can't read
        return None
    slim = lt.add_torrent_params()
    slim.info_hashes, slim.name, slim.trackers = known.info_hashes, known.name, known.trackers
    slim.url_seeds = known.url_seeds
    if known.ti is not None:
        slim.ti = known.ti
    return Recipe(lt.write_resume_data_buf(slim), has_metadata=known.ti is not None)


def fits(recipe: bytes, infohash: Infohash) -> bool:
    """Say whether a recipe is one of this torrent; what is in the metadata, libtorrent checks by the infohash."""
    try:
        known = lt.read_resume_data(recipe)
    except RuntimeError:
        return False
    hashes = known.ti.info_hashes() if known.ti is not None else known.info_hashes
    return infohash in {str(hashes.v1), str(hashes.v2)[:40]}


class Recipes:
    """Leaves the recipes of this node's torrents in the register, and brings those of others onto its disk."""

    def __init__(self, ownership: Ownership, *, store: TorrentStore, reach: Reach) -> None:
        self._ownership = ownership
        self._store = store
        self._reach = reach
        self._complete: set[Infohash] = set()

    async def leave(self, infohash: Infohash, magnet: str) -> None:
        """Leave what is known of a torrent at once; the metadata follows when it has been saved."""
        if await self._ownership.without_recipe([infohash]):
            recipe = from_magnet(rebuild(magnet, infohash, reach=self._reach))
            await self._ownership.leave_recipe(infohash, recipe.data)

    async def renew(self, active: Collection[Infohash]) -> None:
        """Leave what is missing in the register, and metadata that became known since."""
        missing = set(await self._ownership.without_recipe(active))
        self._complete = (self._complete & set(active)) - missing
        for infohash in set(active) - self._complete:
            recipe = await self.of(infohash)
            if recipe is not None and (recipe.has_metadata or infohash in missing):
                await self._ownership.leave_recipe(infohash, recipe.data)
            if recipe is not None and recipe.has_metadata:
                self._complete.add(infohash)

    async def of(self, infohash: Infohash) -> Recipe | None:
        """Return the recipe of a torrent on this node's disk."""
        resume = await asyncio.to_thread(self._store.resume, infohash)
        return None if resume is None else await asyncio.to_thread(from_resume, resume)

    async def take(self, infohash: Infohash, recipe: bytes) -> None:
        """Put another node's recipe where the engine will look for it, unless something is there."""
        if not fits(recipe, infohash):
            return
        if not await asyncio.to_thread(self._store.knows, infohash):
            await asyncio.to_thread(self._store.prepare, infohash)
            await asyncio.to_thread(self._store.save_resume, infohash, recipe)
