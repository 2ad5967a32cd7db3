"""The mapping data of this instance: fetched by itself at run time, kept, and used until better ones come."""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Protocol

import httpx
from structlog.typing import FilteringBoundLogger

from vod_catalog.animelists import AnimeLists, parse_anime_lists
from vod_runtime import Clock
from vod_web.public import NotPublicError

MAPPING_DATA_READ = "mapping_data_read"
MAPPING_DATA_NOT_FETCHED = "mapping_data_not_fetched"

_LISTS, _IDS = "anime-lists", "anime-ids"
_MAX_BYTES = 32 * 1024 * 1024
_FETCH_SECONDS = 120.0
_FRESH_FOR = timedelta(hours=24)
_AGAIN_AFTER_FAILURE = timedelta(minutes=10)


class Files(Protocol):
    """Where the data are kept; see `NumberingStore`."""

    async def mapping_file(self, name: str) -> tuple[bytes, datetime] | None: ...
    async def save_mapping_files(self, files: dict[str, bytes], *, at: datetime) -> None: ...


class MappingData:
    """Anime-Lists and its table of ids, as far as they were ever fetched."""

    def __init__(
        self, files: Files, http: httpx.AsyncClient, *, lists_url: str, ids_url: str, clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:  # fmt: skip
        self._files = files
        self._http = http
        self._urls = {_LISTS: lists_url, _IDS: ids_url}
        self._clock = clock
        self._log = log
        self._read_at: datetime | None = None
        self._failing = False
        self.current: AnimeLists | None = None

    async def keep_fresh(self) -> None:
        """Read what is kept, and fetch anew once a day, for ever."""
        while True:
            wait = await self.refresh()
            # Spread out, or all instances in the world ask at midnight.
            await asyncio.sleep(wait.total_seconds() * random.uniform(1.0, 1.2))  # noqa: S311  no secret depends on it

    async def refresh(self) -> timedelta:
        """Read what is kept and fetch what is old; return how long to wait until the next time."""
        try:
            kept = [await self._files.mapping_file(name) for name in (_LISTS, _IDS)]
            fetched_at = min((file[1] for file in kept if file), default=None)
            if all(kept) and fetched_at and self._read_at != fetched_at:
                await self._read({name: file[0] for name, file in zip((_LISTS, _IDS), kept, strict=True) if file})
                self._read_at = fetched_at
            if fetched_at is None or self._clock.now() - fetched_at >= _FRESH_FOR:
                await self._fetch()
        except (httpx.HTTPError, ValueError, TimeoutError, OSError) as error:
            if not self._failing:
                reason = str(error) if isinstance(error, NotPublicError | ValueError) else ""
                self._log.warning(MAPPING_DATA_NOT_FETCHED, error=type(error).__name__, reason=reason)
            self._failing = True
            return _AGAIN_AFTER_FAILURE
        self._failing = False
        return _FRESH_FOR / 4

    async def _fetch(self) -> None:
        async with asyncio.timeout(_FETCH_SECONDS):
            files = {name: await self._download(url) for name, url in self._urls.items()}
        await self._read(files)
        self._read_at = self._clock.now()
        await self._files.save_mapping_files(files, at=self._read_at)

    async def _download(self, url: str) -> bytes:
        body = bytearray()
        async with self._http.stream("GET", url, follow_redirects=True) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_BYTES:
                    raise ValueError("too large")
        return bytes(body)

    async def _read(self, files: dict[str, bytes]) -> None:
        lists = await asyncio.to_thread(parse_anime_lists, files[_LISTS], files[_IDS])
        self.current = lists
        self._log.info(MAPPING_DATA_READ, entries=len(lists.by_id))
