"""Subtitles of episodes: what the sources list, and the best track for the picked release."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

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
    Picked,
    Readable,
    ReadVideo,
    Searched,
    StoredFile,
    Target,
    Timing,
    Track,
    Trait,
    Wanted,
    by_merit,
)
from vod_subtitles.errors import SubtitleNotFound
from vod_subtitles.files import EMBEDDED, Files, as_readable, etag_of, is_hopeless
from vod_subtitles.ports import Catalog, Source, TrackStore, Videos
from vod_subtitles.sidecars import TORRENT
from vod_subtitles.torrents import Hashed
from vod_subtitles.unreadable import UnreadableSubtitleError

TRACK_NOT_READY = "subtitle_track_not_ready"
SEARCH_FAILED = "subtitle_search_failed"

_SEARCH_AGAIN = timedelta(hours=24)
_SEARCH_AGAIN_IF_EMPTY = timedelta(hours=6)
_MOST_TRIES = 3
_TMDB = re.compile(r"tmdb:(?P<kind>tv|movie):(?P<number>[1-9][0-9]{0,9})", re.ASCII)


class Subtitles:
    """The use cases on an episode's tracks."""

    def __init__(
        self,
        store: TrackStore,
        *,
        files: Files,
        sources: Sequence[Source],
        videos: Videos,
        catalog: Catalog,
        flights: Flights,
        clock: Clock,
        log: FilteringBoundLogger,
        languages: Sequence[Lang],
    ) -> None:
        self._store = store
        self._files = files
        self._sources = sources
        self._videos = videos
        self._catalog = catalog
        self._flights = flights
        self._clock = clock
        self._log = log
        self._languages = languages

    async def ensure(
        self, key: EpisodeKey, languages: Sequence[Lang], *, release_title: str, picked: Picked | None = None
    ) -> list[Track]:
        """Make the best track of each language ready, and return those that are; in the order of *languages*.

        A language without a track, or whose track can't be had now, is left out; the log says why.
        """
        wanted = list(dict.fromkeys(languages or self._languages))
        try:
            listed = await self._listed(key, wanted, picked)
        except Failure as failure:
            self._log.warning(SEARCH_FAILED, series_id=key.series_id, reason=failure.reason)
            return []
        about = await self._about(key, picked, release_title=release_title)
        ready = [await self._ready(key, lang, listed.get(lang, ()), about) for lang in wanted]
        return [track for track in ready if track]

    async def get(self, key: EpisodeKey, lang: Lang | None, *, picked: Picked | None = None) -> Readable:
        """Return the text of an episode's track in *lang*; None means the first of the default languages that there is.

        Raises:
            SubtitleNotFound: no source has a readable one.
            SubtitleQuotaExhausted, SubtitleSourceUnavailable: there may be one, but not now.
        """
        wanted = [lang] if lang else await self._preferred(key)
        listed = await self._listed(key, wanted, picked)
        failure: Failure | None = None
        for one in wanted:
            choice = await self._store.choice(key, one)
            about = await self._about(key, picked)
            # What was made ready is stayed with, unless the torrent has one for nothing that fits to the millisecond.
            if choice and not any(_is_of_torrent(track, about.video) for track in listed.get(one, ())):
                about = replace(about, release_title=choice.release_title, track_id=choice.track_id)
            try:
                found = await self._best(listed.get(one, ()), about)
            except Failure as error:
                failure = failure or error
                continue
            if found:
                return found
        raise failure or self._not_found(key, wanted)

    async def track(self, key: EpisodeKey, track_id: str, *, picked: Picked | None = None) -> Readable:
        """Return the text of one track.

        Raises:
            SubtitleNotFound: there is no such track, or it can't be read.
            SubtitleQuotaExhausted, SubtitleSourceUnavailable: not now.
        """
        if picked:
            await self._videos.look(key, picked)
        track = await self._known(key, track_id)
        try:
            return await self._files.readable(track)
        except UnreadableSubtitleError as error:
            raise _unreadable(track_id, error) from error

    async def read_as(self, found: Readable, encoding: str) -> Readable:
        """Return a track as it reads in another encoding.

        Raises:
            SubtitleNotFound: it does not.
        """
        try:
            converted = await self._files.read_as(found.track, encoding)
        except UnreadableSubtitleError as error:
            raise _unreadable(str(found.track.id), error) from error
        return replace(found, webvtt=converted.webvtt, etag=etag_of(converted.webvtt), script=converted.script)

    async def list_all(
        self, key: EpisodeKey, languages: Sequence[Lang], *, picked: Picked | None
    ) -> tuple[list[tuple[Track, StoredFile]], datetime | None]:
        """Return all tracks of an episode, each once, with what is here of each; and until when quota is used up.

        Languages in the order asked for, then the others; within one, the best for the picked file first. Sources that
        can't be asked now leave out what only they know.
        """
        wanted = list(dict.fromkeys(languages or self._languages))
        try:
            await self._listed(key, wanted, picked)
        except Failure as failure:
            self._log.warning(SEARCH_FAILED, series_id=key.series_id, reason=failure.reason)
        about = await self._about(key, picked)
        tracks = await self._store.tracks(key)
        order = dict.fromkeys([*wanted, *(track.listed.lang for track in tracks)])
        ranked = [
            track for lang in order for track in about.ranked([track for track in tracks if track.listed.lang == lang])
        ]
        kept = await self._store.files([track.listed for track in ranked])
        pairs = [(track, kept.get((track.listed.source, track.listed.file_id), StoredFile())) for track in ranked]
        resets = [await self._store.quota_resets_at(source.name) for source in self._sources]
        now = self._clock.now()
        return _distinct(pairs), min((at for at in resets if at and at > now), default=None)

    async def set_timing(self, key: EpisodeKey, track_id: str, timing: Timing) -> Track:
        """Remember by how much a track's file is off.

        Raises:
            SubtitleNotFound: there is no such track.
        """
        track = await self._known(key, track_id)
        await self._store.save_timing(track.listed, timing)
        return track

    async def _about(self, key: EpisodeKey, picked: Picked | None, *, release_title: str = "") -> "_About":
        if picked is None:
            return _About(release_title)
        read = await self._store.video(key, picked.video)
        return _About(release_title or picked.release_title, picked.video, read)

    async def _known(self, key: EpisodeKey, track_id: str) -> Track:
        for track in await self._store.tracks(key):
            if str(track.id) == track_id:
                return track
        raise SubtitleNotFound("This episode has no such track.", metadata={"track": track_id[:20]})

    async def _ready(self, key: EpisodeKey, lang: Lang, tracks: Sequence[Track], about: "_About") -> Track | None:
        before = await self._store.choice(key, lang)
        if before and before.release_title == about.release_title:
            about = replace(about, track_id=before.track_id)
        try:
            found = await self._best(tracks, about)
        except Failure as failure:
            self._log.warning(TRACK_NOT_READY, series_id=key.series_id, lang=lang, reason=failure.reason)
            return None
        if found is None:
            return None
        await self._store.save_choice(key, lang, Choice(found.track.id, about.release_title))
        return found.track

    async def _preferred(self, key: EpisodeKey) -> list[Lang]:
        """Return the languages to try: the default ones that are ready, then the other ready ones, then the rest."""
        kept = await self._store.kept_languages(key)
        first = [lang for lang in self._languages if lang in kept]
        return list(dict.fromkeys([*first, *kept, *self._languages]))

    async def _listed(
        self, key: EpisodeKey, languages: Sequence[Lang], picked: Picked | None
    ) -> dict[Lang, tuple[Track, ...]]:
        """Return the tracks per language, searching for those that were not searched for lately."""
        hashed = await self._videos.look(key, picked) if picked else None
        known = await self._store.searched(key, languages)
        missing = tuple(lang for lang in languages if self._is_due(known.get(lang), hashed))
        failure: Failure | None = None
        if missing and self._sources:
            try:
                await self._flights.join((key, missing, hashed), lambda: self._search(key, missing, hashed))
            except Failure as error:
                failure = error
        tracks = [track for track in await self._store.tracks(key) if track.listed.lang in languages]
        if failure:
            # What was listed before is better than nothing.
            if not tracks:
                raise failure
            self._log.warning(SEARCH_FAILED, series_id=key.series_id, reason=failure.reason)
        return {lang: tuple(track for track in tracks if track.listed.lang == lang) for lang in languages}

    def _is_due(self, searched: Searched | None, hashed: Hashed | None) -> bool:
        if searched is None or (hashed and hashed.moviehash and searched.matched != hashed.video):
            return True
        after = _SEARCH_AGAIN if searched.tracks else _SEARCH_AGAIN_IF_EMPTY
        return self._clock.now() - searched.at >= after

    async def _search(self, key: EpisodeKey, languages: Sequence[Lang], hashed: Hashed | None) -> None:
        # Another search may have ended between our look and now.
        known = await self._store.searched(key, languages)
        languages = [lang for lang in languages if self._is_due(known.get(lang), hashed)]
        if not languages:
            return
        about = await self._wanted(key)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_answer(source, about, languages, hashed)) for source in self._sources]
        answers = [task.result() for task in tasks]
        failures = [answer for answer in answers if isinstance(answer, Failure)]
        if len(failures) == len(answers):
            raise failures[0]
        listed = [one for answer in answers if not isinstance(answer, Failure) for one in answer]
        wanted = [one for one in listed if one.lang in languages]
        matched = hashed.video if hashed and hashed.moviehash else ""
        await self._store.save_search(key, languages, wanted, at=self._clock.now(), matched=matched)

    async def _wanted(self, key: EpisodeKey) -> Wanted:
        match = _TMDB.fullmatch(key.series_id)
        title, imdb_id = "", ""
        if match is None or any(source.needs_title for source in self._sources):
            title, imdb_id = await self._catalog.title(key)
        target: Target
        if match is None:
            target = EpisodeNamed(title, key.season, key.episode)
        elif match["kind"] == "movie":
            target = FilmOf(int(match["number"]))
        else:
            target = EpisodeOf(int(match["number"]), key.season, key.episode)
        return Wanted(key, target, title, imdb_id)

    async def _best(self, tracks: Sequence[Track], about: "_About") -> Readable | None:
        """Return the chosen track, else the best that can be read; downloads a few at most.

        When nothing can be downloaded, one that is ready already is taken, though it may be a worse one.
        """
        ranked = about.ranked(tracks)
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


@dataclass(frozen=True, slots=True)
class _About:
    """What makes one track better than another: the release, the very file, and what was chosen before."""

    release_title: str = ""
    video: str = ""
    read: ReadVideo = field(default_factory=ReadVideo)
    track_id: int | None = None

    def ranked(self, tracks: Sequence[Track]) -> list[Track]:
        ranked = by_merit(tracks, release_title=self.release_title, video=self.video, read=self.read)
        return sorted(ranked, key=lambda track: track.id != self.track_id)


def _is_of_torrent(track: Track, video: str) -> bool:
    is_ours = track.listed.source in {EMBEDDED, TORRENT} and track.listed.matches == video
    return is_ours and Trait.FORCED not in track.listed.traits


def _distinct(pairs: Sequence[tuple[Track, StoredFile]]) -> list[tuple[Track, StoredFile]]:
    """Leave out what can't be read, and what says the same as a better one."""
    seen: set[tuple[Lang, str]] = set()
    kept = []
    for track, file in pairs:
        same = (track.listed.lang, file.etag or f"{track.id}")
        if same not in seen and not is_hopeless(file):
            seen.add(same)
            kept.append((track, file))
    return kept


def _unreadable(track_id: str, error: UnreadableSubtitleError) -> SubtitleNotFound:
    return SubtitleNotFound(f"The track can't be read: {error}.", metadata={"track": track_id[:20]})


async def _answer(
    source: Source, wanted: Wanted, languages: Sequence[Lang], hashed: Hashed | None
) -> list[Listed] | Failure:
    try:
        return await source.search(wanted, languages, hashed=hashed)
    except Failure as failure:
        return failure


def _ready_file(track: Track, kept: Mapping[tuple[str, str], StoredFile]) -> Readable | None:
    file = kept.get((track.listed.source, track.listed.file_id))
    return as_readable(track, file) if file else None
