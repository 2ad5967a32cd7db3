"""The use cases: make sure that there is a pick, replace it, and show what it was chosen from."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from vod_picks.choosing import Chooser, Comparison, Decision
from vod_picks.domain import Candidate, Choice, EpisodeKey, Pick, Profile
from vod_picks.errors import CandidateUnknown, NoPlayableRelease
from vod_picks.rejections import Rejection, Standing
from vod_rpc import Failure, Flights

SURVEY_WAIT = timedelta(seconds=5)
"""Somebody waits to see what there is to choose from, and has ten seconds."""


class Store(Protocol):
    """Where picks rest."""

    async def standing(self, key: EpisodeKey, *, profile_hash: str) -> Standing | None:
        """Return the pick in force and what is against it."""
        ...

    async def keep(self, decision: Decision) -> Pick:
        """Write the decision down unless there is one by now; return the one that stands."""
        ...

    async def replace(self, choice: Choice) -> Pick:
        """Put the choice in the place of the current pick, which goes to the history; learn the group."""
        ...

    async def succeed(self, rejected: Pick, rejection: Rejection, decision: Decision) -> Pick:
        """Put the decision in the place of a rejected pick and tell so, unless another did; return what stands."""
        ...

    async def supersede(self, pick: Pick, decision: Decision, *, because: str) -> None:
        """Put the decision in the place of a pick that it beats, unless that went meanwhile."""
        ...

    async def note_review(self, pick: Pick) -> None:
        """Note that a pick was looked at, and stays."""
        ...

    async def give_up(self, rejected: Pick, rejection: Rejection, candidates: Sequence[Candidate]) -> None:
        """Retire a rejected pick that nothing can replace, and tell so, unless another did."""
        ...

    async def note_candidates(self, key: EpisodeKey, profile: Profile, candidates: Sequence[Candidate]) -> None:
        """Keep what was found for an episode beside its pick, if it has one: for people who ask why."""
        ...

    async def candidates(self, key: EpisodeKey, *, profile_hash: str) -> Sequence[Candidate]:
        """Return what a pick was chosen from; without a profile, that of the profile that was served last."""
        ...

    async def history(self, key: EpisodeKey) -> Sequence[Pick]: ...

    async def note_watched(self, key: EpisodeKey, *, profile_hash: str) -> None:
        """Count a pick that was watched to the end for its group, once."""
        ...


class EnsureOutcome(StrEnum):
    """How ensuring a pick ended."""

    HIT = "hit"
    CHOSEN = "chosen"
    PROMOTED = "promoted"
    SUPERSEDED = "superseded"
    FAILED = "failed"


class EnsureCounter(Protocol):
    def __call__(self, outcome: EnsureOutcome) -> None: ...


class Picks:
    """The decisions which release serves which episode for which profile."""

    def __init__(self, *, store: Store, chooser: Chooser, searches: Flights, count: EnsureCounter) -> None:
        self._store = store
        self._chooser = chooser
        self._searches = searches
        self._count = count
        self._surveys: dict[tuple[EpisodeKey, str], asyncio.Future[None]] = {}

    async def ensure(self, key: EpisodeKey, *, profile: Profile) -> Pick:
        """Return the pick of an episode for a profile, choosing one if there is none, or a rejected one.

        Concurrent calls share one search. It goes on when its callers have left, so that the next call finds the pick.

        Raises:
            NoPlayableRelease: all releases were refused, by scoring or by their swarms.
        """
        standing = await self._store.standing(key, profile_hash=profile.hash)
        if standing and not standing.rejection:
            self._count(EnsureOutcome.HIT)
            if standing.is_due:
                self._searches.launch(("review", standing.pick.id), lambda: self._review(standing.pick, profile))
            return standing.pick
        return await self._searches.join((key, profile.hash), lambda: self._choose(key, profile))

    async def override(self, key: EpisodeKey, *, profile: Profile, infohash: str) -> Pick:
        """Replace the pick by another of its candidates.

        Raises:
            CandidateUnknown: the release was not among those that the pick was chosen from.
            CandidateRefused: it can't be played.
        """
        standing = await self._store.standing(key, profile_hash=profile.hash)
        if standing and standing.pick.infohash == infohash and not standing.rejection:
            return standing.pick
        candidate = _among(await self.candidates(key, profile_hash=profile.hash), infohash, key=key)
        chosen = await self._chooser.verify(candidate, key=key)
        return await self._store.replace(Choice(key, profile, candidate, chosen))

    async def diff(self, key: EpisodeKey, *, profile_hash: str, first: str, second: str) -> Comparison:
        """Say why one of two candidates, by infohash, goes before the other.

        Raises:
            CandidateUnknown: one of them was not among those that the pick was chosen from.
        """
        candidates = await self.candidates(key, profile_hash=profile_hash)
        return await self._chooser.scoring.diff(_among(candidates, first, key=key), _among(candidates, second, key=key))

    async def candidates(self, key: EpisodeKey, *, profile_hash: str) -> Sequence[Candidate]:
        """Return what the pick was chosen from, best first, refused ones last; empty if there is no pick.

        Where that is being searched just now, the search is waited for, but not long.
        """
        running = [one for (of, hash_), one in self._surveys.items() if of == key and profile_hash in ("", hash_)]
        if running:
            await asyncio.wait(running, timeout=SURVEY_WAIT.total_seconds())
        return await self._store.candidates(key, profile_hash=profile_hash)

    async def watched(self, key: EpisodeKey, *, profile_hash: str) -> None:
        """Learn that somebody saw an episode to its end."""
        await self._store.note_watched(key, profile_hash=profile_hash)

    async def history(self, key: EpisodeKey) -> Sequence[Pick]:
        """Return every pick ever made for an episode, for any profile, newest first."""
        return await self._store.history(key)

    async def _choose(self, key: EpisodeKey, profile: Profile) -> Pick:
        # Another process, or the flight before this one, may have decided since the caller looked.
        standing = await self._store.standing(key, profile_hash=profile.hash)
        try:
            if standing is None:
                pick, outcome = await self._first(key, profile), EnsureOutcome.CHOSEN
            elif standing.rejection is None:
                return standing.pick
            else:
                pick, outcome = await self._promote(standing.pick, standing.rejection, profile), EnsureOutcome.PROMOTED
        except Exception:
            self._count(EnsureOutcome.FAILED)
            raise
        self._count(outcome)
        return pick

    async def _review(self, pick: Pick, profile: Profile) -> None:
        known = await self._store.candidates(pick.key, profile_hash=profile.hash)
        try:
            outcome = await self._chooser.review(pick, profile=profile, known=[one.release for one in known])
        except Failure:
            await self._store.note_review(pick)  # or every start would search again while a neighbour is down
            return
        if outcome is None:
            await self._store.note_review(pick)
        else:
            decision, because = outcome
            await self._store.supersede(pick, decision, because=because)
            self._count(EnsureOutcome.SUPERSEDED)

    async def _first(self, key: EpisodeKey, profile: Profile) -> Pick:
        try:
            decision = await self._chooser.choose(key, profile=profile)
        except NoPlayableRelease as none:
            await self._store.note_candidates(key, profile, none.candidates)
            raise
        pick = await self._store.keep(decision)
        if not decision.searched:
            survey = self._searches.launch(("survey", key, profile.hash), lambda: self._survey(decision, pick))
            self._surveys[key, profile.hash] = survey
            survey.add_done_callback(lambda _: self._surveys.pop((key, profile.hash), None))
        return pick

    async def _survey(self, decision: Decision, pick: Pick) -> None:
        """Look what else there is beside a pick that was made without a search: somebody may want another."""
        choice = decision.choice
        try:
            found = await self._chooser.survey(choice.key, profile=choice.profile)
        except Failure:
            return  # the pick plays, and its next review searches again
        standing = await self._store.standing(choice.key, profile_hash=choice.profile.hash)
        if standing and standing.pick.id == pick.id:
            chosen = choice.candidate
            seen = [chosen if one.release.infohash == chosen.release.infohash else one for one in found]
            await self._store.note_candidates(choice.key, choice.profile, seen)

    async def _promote(self, rejected: Pick, rejection: Rejection, profile: Profile) -> Pick:
        """Choose again, among what is known first: a viewer may be waiting."""
        known = await self._store.candidates(rejected.key, profile_hash=profile.hash)
        releases = [one.release for one in known]
        try:
            decision = await self._chooser.choose(rejected.key, profile=profile, known=releases)
        except NoPlayableRelease as none:
            await self._store.give_up(rejected, rejection, none.candidates)
            raise
        return await self._store.succeed(rejected, rejection, decision)


def _among(candidates: Sequence[Candidate], infohash: str, *, key: EpisodeKey) -> Candidate:
    for one in candidates:
        if one.release.infohash == infohash:
            return one
    raise CandidateUnknown(f"{key} has no candidate {infohash[:12]}.", metadata={"key": str(key), "infohash": infohash})
