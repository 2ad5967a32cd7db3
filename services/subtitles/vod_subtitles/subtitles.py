"""Subtitles of episodes: what the sources list, and the best track for the picked release."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure, Flights
from vod_runtime import Clock
from vod_subtitles.domain import (
    Choice,
    EpisodeKey,
    EpisodeNamed,
    EpisodeOf,
    FilmOf,
    Lang,
    Listed,
    Readable,
    Searched,
    StoredFile,
    Target,
    Track,
    by_merit,
)
from vod_subtitles.errors import SubtitleNotFound, UnreadableSubtitleError
from vod_subtitles.files import Files, as_readable, is_hopeless

TRACK_NOT_READY = "subtitle_track_not_ready"
SEARCH_FAILED = "subtitle_search_failed"

_SEARCH_AGAIN = timedelta(hours=24)
_SEARCH_AGAIN_IF_EMPTY = timedelta(hours=6)
_MOST_TRIES = 3
_TMDB = re.compile(r"tmdb:(?P<kind>tv|movie):(?P<number>[1-9][0-9]{0,9})", re.ASCII)


class Source(Protocol):
    """Who has subtitles."""

    @property
    def name(self) -> str:
        """What its tracks and files are filed under."""
        ...

    async def search(self, target: Target, languages: Sequence[Lang]) -> list[Listed]:
        """Return what there is; raises SubtitleSourceUnavailable."""
        ...


class Catalog(Protocol):
    """Who knows what a series is called."""

    async def title(self, key: EpisodeKey) -> str:
        """Return the name of an episode's series; raises a Failure."""
        ...


class TrackStore(Protocol):
    """Where tracks are kept; see `Store`."""

    async def searched(self, key: EpisodeKey, languages: Sequence[Lang]) -> dict[Lang, Searched]: ...
    async def save_search(
        self, key: EpisodeKey, languages: Sequence[Lang], listed: Sequence[Listed], *, at: datetime
    ) -> None: ...
    async def kept_languages(self, key: EpisodeKey) -> list[Lang]: ...
    async def choice(self, key: EpisodeKey, lang: Lang) -> Choice | None: ...
    async def save_choice(self, key: EpisodeKey, lang: Lang, choice: Choice) -> None: ...
    async def files(self, listed: Sequence[Listed]) -> Mapping[tuple[str, str], StoredFile]: ...


class Subtitles:
    """The use cases on an episode's tracks."""

    def __init__(
        self,
        store: TrackStore,
        *,
        files: Files,
        sources: Sequence[Source],
        catalog: Catalog,
        flights: Flights,
        clock: Clock,
        log: FilteringBoundLogger,
        languages: Sequence[Lang],
    ) -> None:
        self._store = store
        self._files = files
        self._sources = sources
        self._catalog = catalog
        self._flights = flights
        self._clock = clock
        self._log = log
        self._languages = languages

    async def ensure(self, key: EpisodeKey, languages: Sequence[Lang], *, release_title: str) -> list[Track]:
        """Make the best track of each language ready, and return those that are; in the order of *languages*.

        A language without a track, or whose track can't be had now, is left out; the log says why.
        """
        wanted = list(dict.fromkeys(languages or self._languages))
        try:
            listed = await self._listed(key, wanted)
        except Failure as failure:
            self._log.warning(SEARCH_FAILED, series_id=key.series_id, reason=failure.reason)
            return []
        ready = [await self._ready(key, lang, listed.get(lang, ()), release_title=release_title) for lang in wanted]
        return [track for track in ready if track]

    async def get(self, key: EpisodeKey, lang: Lang | None) -> Readable:
        """Return the text of an episode's track in *lang*; None means the first of the default languages that there is.

        Raises:
            SubtitleNotFound: no source has a readable one.
            SubtitleQuotaExhausted, SubtitleSourceUnavailable: there may be one, but not now.
        """
        wanted = [lang] if lang else await self._preferred(key)
        listed = await self._listed(key, wanted)
        failure: Failure | None = None
        for one in wanted:
            choice = await self._store.choice(key, one)
            try:
                found = await self._best(listed.get(one, ()), choice=choice)
            except Failure as error:
                failure = failure or error
                continue
            if found:
                return found
        raise failure or self._not_found(key, wanted)

    async def _ready(self, key: EpisodeKey, lang: Lang, tracks: Sequence[Track], *, release_title: str) -> Track | None:
        before = await self._store.choice(key, lang)
        choice = before if before and before.release_title == release_title else None
        try:
            found = await self._best(tracks, choice=choice, release_title=release_title)
        except Failure as failure:
            self._log.warning(TRACK_NOT_READY, series_id=key.series_id, lang=lang, reason=failure.reason)
            return None
        if found is None:
            return None
        await self._store.save_choice(key, lang, Choice(found.track.id, release_title))
        return found.track

    async def _preferred(self, key: EpisodeKey) -> list[Lang]:
        """Return the languages to try: the default ones that are ready, then the other ready ones, then the rest."""
        kept = await self._store.kept_languages(key)
        first = [lang for lang in self._languages if lang in kept]
        return list(dict.fromkeys([*first, *kept, *self._languages]))

    async def _listed(self, key: EpisodeKey, languages: Sequence[Lang]) -> dict[Lang, tuple[Track, ...]]:
        """Return the tracks per language, searching for those that were not searched for lately."""
        known = await self._store.searched(key, languages)
        missing = tuple(lang for lang in languages if self._is_due(known.get(lang)))
        if missing and self._sources:
            try:
                await self._flights.join((key, missing), lambda: self._search(key, missing))
            except Failure as failure:
                # What was listed before is better than nothing.
                if not any(searched.tracks for searched in known.values()):
                    raise
                self._log.warning(SEARCH_FAILED, series_id=key.series_id, reason=failure.reason)
            known = await self._store.searched(key, languages)
        return {lang: searched.tracks for lang, searched in known.items()}

    def _is_due(self, searched: Searched | None) -> bool:
        if searched is None:
            return True
        after = _SEARCH_AGAIN if searched.tracks else _SEARCH_AGAIN_IF_EMPTY
        return self._clock.now() - searched.at >= after

    async def _search(self, key: EpisodeKey, languages: Sequence[Lang]) -> None:
        # Another search may have ended between our look and now.
        known = await self._store.searched(key, languages)
        languages = [lang for lang in languages if self._is_due(known.get(lang))]
        if not languages:
            return
        target = await self._target(key)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_answer(source, target, languages)) for source in self._sources]
        answers = [task.result() for task in tasks]
        failures = [answer for answer in answers if isinstance(answer, Failure)]
        if len(failures) == len(answers):
            raise failures[0]
        listed = [one for answer in answers if not isinstance(answer, Failure) for one in answer]
        wanted = [one for one in listed if one.lang in languages]
        await self._store.save_search(key, languages, wanted, at=self._clock.now())

    async def _target(self, key: EpisodeKey) -> Target:
        match = _TMDB.fullmatch(key.series_id)
        if match is None:
            return EpisodeNamed(await self._catalog.title(key), key.season, key.episode)
        if match["kind"] == "movie":
            return FilmOf(int(match["number"]))
        return EpisodeOf(int(match["number"]), key.season, key.episode)

    async def _best(
        self, tracks: Sequence[Track], *, choice: Choice | None, release_title: str = ""
    ) -> Readable | None:
        """Return the chosen track, else the best that can be read; downloads a few at most.

        When nothing can be downloaded, one that is ready already is taken, though it may be a worse one.
        """
        ranked = by_merit(tracks, release_title=choice.release_title if choice else release_title)
        if choice:
            ranked.sort(key=lambda track: track.id != choice.track_id)
        kept = await self._store.files([track.listed for track in ranked])
        ready = {track.id: _ready_file(track, kept) for track in ranked}
        try:
            return await self._first_readable(ranked, ready, kept)
        except Failure:
            fallback = next((found for track in ranked if (found := ready[track.id])), None)
            if fallback is None:
                raise
            return fallback

    async def _first_readable(
        self,
        ranked: Sequence[Track],
        ready: Mapping[int, Readable | None],
        kept: Mapping[tuple[str, str], StoredFile],
    ) -> Readable | None:
        tries = 0
        for track in ranked:
            if found := ready[track.id]:
                return found
            file = kept.get((track.listed.source, track.listed.file_id))
            if (file and is_hopeless(file)) or tries == _MOST_TRIES:
                continue
            tries += 1
            try:
                return await self._files.readable(track)
            except UnreadableSubtitleError:
                continue
        return None

    def _not_found(self, key: EpisodeKey, languages: Sequence[Lang]) -> SubtitleNotFound:
        what = ", ".join(languages)
        message = f"There is no subtitle of this episode in {what}." if self._sources else "No source is configured."
        metadata = {
            "series_id": key.series_id,
            "season": str(key.season),
            "episode": str(key.episode),
            "languages": what,
        }
        return SubtitleNotFound(message, metadata=metadata)


async def _answer(source: Source, target: Target, languages: Sequence[Lang]) -> list[Listed] | Failure:
    try:
        return await source.search(target, languages)
    except Failure as failure:
        return failure


def _ready_file(track: Track, kept: Mapping[tuple[str, str], StoredFile]) -> Readable | None:
    file = kept.get((track.listed.source, track.listed.file_id))
    return as_readable(track, file) if file else None
