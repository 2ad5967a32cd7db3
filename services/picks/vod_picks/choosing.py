"""Chooses a release for an episode: what it is called, who has it, which is best, and whether the swarm agrees."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from vod_picks.domain import (
    Candidate,
    Choice,
    ChosenFile,
    Episode,
    EpisodeKey,
    Profile,
    Ranking,
    Reason,
    Refusal,
    Release,
    Tier,
    TorrentFile,
)
from vod_picks.errors import CandidateRefused, NoPlayableRelease, SwarmSilent
from vod_picks.files import find_file
from vod_rpc import deadline, time_left

_SHORTEST_PROBE = timedelta(milliseconds=300)
"""Asking a swarm for less than this would only tell that there was no time."""
_RESERVE = timedelta(seconds=0.5)
"""Kept back from the budget, to write the pick down or to say why there is none."""


@dataclass(frozen=True, slots=True)
class Found:
    """What search answered: releases, and the indexers that did not answer, each with the reason."""

    releases: Sequence[Release]
    unavailable: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Decision:
    """A choice and all that it was chosen from, best first."""

    choice: Choice
    candidates: Sequence[Candidate]


class Catalog(Protocol):
    async def episode(self, key: EpisodeKey) -> Episode:
        """Return what the episode is called. Fails with NotFound."""
        ...


class Search(Protocol):
    async def releases(self, episode: Episode, *, profile_hash: str) -> Found: ...


class Scoring(Protocol):
    async def rank(
        self, releases: Sequence[Release], *, episode: Episode, profile: Profile, previous_group: str
    ) -> Mapping[str, Ranking]:
        """Return a ranking per infohash, in order, best first."""
        ...


class Swarms(Protocol):
    async def files(self, release: Release, *, within: timedelta) -> Sequence[TorrentFile]:
        """Return what is in the torrent. Raises SwarmSilent when nobody tells in time."""
        ...


class Groups(Protocol):
    async def previous_group(self, episode: Episode, *, profile_hash: str) -> str:
        """Return the release group that a viewer would expect; empty if there is none."""
        ...


class ProbeOutcome(StrEnum):
    """How asking a swarm ended."""

    FOUND = "found"
    REFUSED = "refused"
    SILENT = "silent"


class ProbeCounter(Protocol):
    def __call__(self, outcome: ProbeOutcome) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long choosing may take."""

    total: timedelta = timedelta(seconds=15)
    per_swarm: timedelta = timedelta(seconds=4)
    swarms: int = 4
    """Candidates whose swarms are asked, at most."""


@dataclass(frozen=True, slots=True)
class Chooser:
    """Makes decisions; remembers nothing."""

    catalog: Catalog
    search: Search
    scoring: Scoring
    swarms: Swarms
    groups: Groups
    count_probe: ProbeCounter
    patience: Patience = field(default_factory=Patience)

    async def choose(self, key: EpisodeKey, *, profile: Profile) -> Decision:
        """Search, rank, and walk down the ranking until a swarm has the wanted file.

        Raises:
            NoPlayableRelease: none has; the failure lists each candidate with its reasons.
        """
        with deadline(self.patience.total):
            episode = await self.catalog.episode(key)
            found = await self.search.releases(episode, profile_hash=profile.hash)
            candidates = await self._rank(found.releases, episode=episode, profile=profile)
            refused: list[Refusal] = []
            asked = 0
            for candidate in candidates:
                verdict = await self._verdict(candidate, episode=episode, asked=asked)
                asked += candidate.ranking.tier is not Tier.REFUSED
                if isinstance(verdict, ChosenFile):
                    return Decision(Choice(key, profile.hash, candidate, verdict), candidates)
                refused.append(Refusal(candidate.release, verdict))
            raise NoPlayableRelease(key, refused=refused, unavailable=found.unavailable)

    async def verify(self, candidate: Candidate, *, key: EpisodeKey) -> ChosenFile:
        """Find the episode's file in one candidate.

        Raises:
            CandidateRefused: scoring refused it, its swarm is silent, or the episode is not in it.
        """
        with deadline(self.patience.total):
            episode = await self.catalog.episode(key)
            verdict = await self._verdict(candidate, episode=episode, asked=0)
            if isinstance(verdict, ChosenFile):
                return verdict
            raise CandidateRefused(Refusal(candidate.release, verdict))

    async def _rank(self, releases: Sequence[Release], *, episode: Episode, profile: Profile) -> list[Candidate]:
        if not releases:
            return []
        group = await self.groups.previous_group(episode, profile_hash=profile.hash)
        rankings = await self.scoring.rank(releases, episode=episode, profile=profile, previous_group=group)
        by_infohash = {release.infohash: release for release in releases}
        return [Candidate(by_infohash[infohash], ranking) for infohash, ranking in rankings.items()]

    async def _verdict(self, candidate: Candidate, *, episode: Episode, asked: int) -> ChosenFile | tuple[Reason, ...]:
        if candidate.ranking.tier is Tier.REFUSED:
            return candidate.ranking.gates
        within = min(self.patience.per_swarm, (time_left() or self.patience.total) - _RESERVE)
        if asked >= self.patience.swarms or within < _SHORTEST_PROBE:
            return (Reason("NOT_TRIED", f"{asked} better ones were tried first, and there was no time for more"),)
        try:
            files = await self.swarms.files(candidate.release, within=within)
        except SwarmSilent:
            self.count_probe(ProbeOutcome.SILENT)
            return (Reason("SWARM_SILENT", f"nobody told within {within.total_seconds():.1f} s what is in it"),)
        # Parsing thousands of names takes a while, and other calls should not wait for it.
        found = await asyncio.to_thread(find_file, files, episode=episode, release_title=candidate.release.title)
        self.count_probe(ProbeOutcome.FOUND if isinstance(found, ChosenFile) else ProbeOutcome.REFUSED)
        return found if isinstance(found, ChosenFile) else (found,)
