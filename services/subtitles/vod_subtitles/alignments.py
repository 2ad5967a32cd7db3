"""Searching for a track's right timing: a job that somebody begins, looks at, and that remembers what it found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure, Flights
from vod_runtime import Clock
from vod_subtitles.domain import EpisodeKey, Listed, Picked, Readable, StoredFile, Timing, Track, Trait
from vod_subtitles.errors import NoReferenceTrack, SubtitleNotFound
from vod_subtitles.files import Files
from vod_subtitles.unreadable import UnreadableSubtitleError
from vod_subtitles.workers import Workers

ALIGNED = "subtitle_aligned"
NOT_ALIGNED = "subtitle_not_aligned"

_ALIGNING = timedelta(seconds=60)
_INTERRUPTED = "The search was interrupted; begin it again."


class AlignmentState(Enum):
    """How a search stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Alignment:
    """A search for a track's timing."""

    track_id: int
    reference_id: int
    state: AlignmentState
    expires_at: datetime
    progress: float = 0.0
    timing: Timing = field(default_factory=Timing)
    explanation: str = ""


class AlignmentStore(Protocol):
    """Where searches and tracks are kept; see `Store`, `Jobs`."""

    async def tracks(self, key: EpisodeKey) -> list[Track]: ...
    async def files(self, listed: Sequence[Listed]) -> Mapping[tuple[str, str], StoredFile]: ...
    async def save_timing(self, listed: Listed, timing: Timing) -> None: ...


class JobStore(Protocol):
    """Where searches are kept."""

    async def alignment(self, track: Track) -> Alignment | None: ...
    async def save_alignment(self, listed: Listed, alignment: Alignment) -> None: ...


class Alignments:
    """The use cases on searches for a timing."""

    def __init__(
        self,
        store: AlignmentStore,
        *,
        jobs: JobStore,
        files: Files,
        workers: Workers,
        flights: Flights,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._files = files
        self._workers = workers
        self._flights = flights
        self._clock = clock
        self._log = log

    async def begin(
        self, key: EpisodeKey, track_id: str, *, reference_id: str = "", picked: Picked | None = None
    ) -> Alignment:
        """Begin to search for a track's timing, unless a search runs; return how it stands.

        Raises:
            SubtitleNotFound: there is no such track.
            NoReferenceTrack: there is none to compare with.
        """
        tracks = await self._store.tracks(key)
        track = _named(tracks, track_id)
        known = await self._jobs.alignment(track)
        if known and known.state is AlignmentState.RUNNING and self._clock.now() < known.expires_at:
            return known
        others = [one for one in tracks if one.id != track.id]
        reference = _named(others, reference_id) if reference_id else await self._best_reference(others, picked)
        begun = Alignment(track.id, reference.id, AlignmentState.RUNNING, self._clock.now() + _ALIGNING)
        await self._jobs.save_alignment(track.listed, begun)
        listed = track.listed
        self._flights.launch(("align", listed.source, listed.file_id), lambda: self._search(track, reference, begun))
        return begun

    async def look(self, key: EpisodeKey, track_id: str) -> Alignment:
        """Return how the last search for a track's timing stands.

        Raises:
            SubtitleNotFound: there is no such track, or nobody searched.
        """
        track = _named(await self._store.tracks(key), track_id)
        known = await self._jobs.alignment(track)
        if known is None:
            raise SubtitleNotFound("Nobody asked to align this track.", metadata={"track": track_id[:20]})
        if known.state is AlignmentState.RUNNING and self._clock.now() >= known.expires_at:
            return replace(known, state=AlignmentState.FAILED, explanation=_INTERRUPTED)
        return known

    async def _best_reference(self, tracks: Sequence[Track], picked: Picked | None) -> Track:
        """Return the track that surely fits the picked video and says most of it."""
        video = picked.video if picked else ""
        fitting = [
            track
            for track in tracks
            if video and track.listed.matches == video and Trait.FORCED not in track.listed.traits
        ]
        kept = await self._store.files([track.listed for track in fitting])

        def merit(track: Track) -> tuple[bool, int]:
            file = kept.get((track.listed.source, track.listed.file_id), StoredFile())
            return file.complete, len(file.webvtt or "")

        if not fitting:
            raise NoReferenceTrack("No track is known to fit this file, so there is nothing to compare with.")
        return max(fitting, key=merit)

    async def _search(self, track: Track, reference: Track, begun: Alignment) -> None:
        try:
            mine, theirs = await self._files.readable(track), await self._files.readable(reference)
            timing = await self._compare(track, mine, theirs, begun)
        except (UnreadableSubtitleError, Failure) as error:
            ended = replace(begun, state=AlignmentState.FAILED, explanation=f"Not aligned: {error}".rstrip(".") + ".")
            self._log.info(NOT_ALIGNED, source=track.listed.source, reason=str(error))
        else:
            await self._store.save_timing(track.listed, timing)
            ended = replace(begun, state=AlignmentState.DONE, progress=1.0, timing=timing)
            self._log.info(ALIGNED, source=track.listed.source, rate=round(timing.rate, 5))
        await self._jobs.save_alignment(track.listed, ended)

    async def _compare(self, track: Track, mine: Readable, theirs: Readable, begun: Alignment) -> Timing:
        timing = Timing()
        async for progress, found in self._workers.align(mine.webvtt, theirs.webvtt, within=_ALIGNING):
            timing = found or timing
            await self._jobs.save_alignment(track.listed, replace(begun, progress=progress))
        return timing


def _named(tracks: Sequence[Track], track_id: str) -> Track:
    for track in tracks:
        if str(track.id) == track_id:
            return track
    raise SubtitleNotFound("This episode has no such track.", metadata={"track": track_id[:20]})
