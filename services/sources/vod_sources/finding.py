"""Finding sources: all providers at once, looked at before they are offered, each with a spare on another host."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from vod_sources.domain import Content, Play, SourceType, StreamSource, Wanted, in_order
from vod_sources.errors import SourceRefused
from vod_sources.guard import Guard, UnwellError
from vod_sources.playlists import read_master, read_media
from vod_sources.providers import Provider
from vod_sources.store import Store

PROVIDER_FAILED = "provider_failed"
SOURCE_NOT_WELL = "source_not_well"

_PROVIDER_SECONDS = 5.0
_PROBE_SECONDS = 4.0
_MOST_PROBED = 6
_PLAYLIST_BYTES = 1024 * 1024
_FIRST_BYTES = 1024
_KEPT_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Offer:
    """A source that may be played, and whether it was well just now."""

    play: Play
    is_healthy: bool


class Finding:
    """The use cases of finding."""

    def __init__(self, providers: Sequence[Provider], guard: Guard, *, store: Store, log: FilteringBoundLogger) -> None:
        self._providers = providers
        self._guard = guard
        self._store = store
        self._log = log

    async def offers(self, content: Content, *, wanted: Wanted) -> list[Offer]:
        """Return what can be played, best first; a provider that fails is left out."""
        ordered, healthy = await self.looked_at(content, wanted=wanted)
        offers = [
            Offer(
                Play(secrets.token_hex(16), content, one, spare_of(one, ordered, healthy)), healthy.get(one.url, False)
            )
            for one in ordered
        ]
        await self._store.save([offer.play for offer in offers])
        await self._store.sweep(older_than=_KEPT_FOR)
        return offers

    async def looked_at(self, content: Content, *, wanted: Wanted) -> tuple[list[StreamSource], dict[str, bool]]:
        """Return sources, best first, and by address whether the first of them are well."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(provider, content)) for provider in self._providers]
        found = [source for task in tasks for source in task.result()]
        success = await self._store.success()
        first = in_order(found, wanted=wanted, healthy={one.url: True for one in found}, success=success)
        async with asyncio.TaskGroup() as group:
            probes = {one.url: group.create_task(self.is_well(one)) for one in first[:_MOST_PROBED]}
        healthy = {url: task.result() for url, task in probes.items()}
        return in_order(found, wanted=wanted, healthy=healthy, success=success), healthy

    async def is_well(self, source: StreamSource) -> bool:
        """Return whether the source's first bytes come; the answer is remembered of its host."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                is_well = await self._probe(source)
        except (UnwellError, SourceRefused, ValueError, TimeoutError) as error:
            self._log.info(SOURCE_NOT_WELL, provider=source.provider, error=type(error).__name__)
            is_well = False
        await self._store.count(source, success=is_well)
        return is_well

    async def _ask(self, provider: Provider, content: Content) -> list[StreamSource]:
        try:
            async with asyncio.timeout(_PROVIDER_SECONDS):
                return list(await provider.find(content))
        except (UnwellError, SourceRefused, TimeoutError) as error:
            self._log.warning(PROVIDER_FAILED, provider=provider.name, error=type(error).__name__)
            return []

    async def _probe(self, source: StreamSource) -> bool:
        headers = source.headers
        if source.type is not SourceType.HLS:
            end = _FIRST_BYTES - 1
            start = (
                await self._guard.fetch(source.url, headers=headers, most=4 * _FIRST_BYTES, first=0, last=end)
            ).body
            return start[:1] == b"d" if source.type is SourceType.TORRENT else b"ftyp" in start[:64]
        playlist = await self._guard.fetch(source.url, headers=headers, most=_PLAYLIST_BYTES)
        master = read_master(playlist.body, url=playlist.url)
        if master is not None:
            playlist = await self._guard.fetch(master.variants[0], headers=headers, most=_PLAYLIST_BYTES)
        media = read_media(playlist.body, url=playlist.url, name="v0")
        if not media.segments:
            return False
        one = media.segments[min(media.segments)]
        first = one.first or 0
        segment = await self._guard.fetch(
            one.url, headers=headers, most=4 * _FIRST_BYTES, first=first, last=first + _FIRST_BYTES - 1
        )
        return bool(segment.body)


def spare_of(source: StreamSource, ordered: Sequence[StreamSource], healthy: dict[str, bool]) -> StreamSource | None:
    """Return the best other source of the same type that is well, on another host."""
    others = (one for one in ordered if one.type is source.type and one.host != source.host)
    return next((one for one in others if healthy.get(one.url)), None)
