"""Chooses a release for an episode: what it is called, who has it, which is best, and whether the swarm agrees."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from vod_picks.domain import (
    Before,
    Candidate,
    Choice,
    ChosenFile,
    Episode,
    EpisodeKey,
    Evidence,
    Pick,
    Profile,
    Ranking,
    Reason,
    Refusal,
    Release,
    Tier,
)
from vod_picks.errors import CandidateRefused, NoPlayableRelease
from vod_picks.race import NODE_LATE, Result, Run, Swarms, race
from vod_picks.rejections import Rejection
from vod_picks.reviewing import challenge
from vod_rpc import Unavailable, deadline, time_left

_SHORTEST_RACE = timedelta(milliseconds=300)
"""Asking a swarm for less than this would only tell that there was no time."""
OVERRULABLE = frozenset({"BLOCKLISTED", "AMBIGUOUS_NUMBERING"})
"""Gates that a person who chooses by hand may know better than; its swarm still has to have the file."""
_HERE = timedelta(seconds=2)
"""So long a pack that is here may take to prove itself; then others are asked for."""
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
    searched: bool = True
    """False: it was here already, so nobody was asked for others."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Why one candidate goes before another: a sentence, and (component, millionths of points, why) for each gap."""

    summary: str
    gaps: Sequence[tuple[str, int, str]]


class Catalog(Protocol):
    async def episode(self, key: EpisodeKey) -> Episode:
        """Return what the episode is called. Fails with NotFound."""
        ...


class Search(Protocol):
    async def releases(self, episode: Episode, *, profile_hash: str) -> Found: ...


class Scoring(Protocol):
    async def rank(
        self, releases: Sequence[Release], *, episode: Episode, profile: Profile, before: Before
    ) -> Mapping[str, Ranking]:
        """Return a ranking per infohash, in order, best first."""
        ...

    async def diff(self, first: Candidate, second: Candidate) -> Comparison:
        """Say why one candidate goes before another."""
        ...


class Nodes(Swarms, Protocol):
    async def held(self) -> Set[str]:
        """Return the infohashes that a node has data of."""
        ...


class History(Protocol):
    async def packs(self, series_id: str, *, profile_hash: str) -> Sequence[Release]:
        """Return the season packs that serve episodes of a series for a profile, the latest first."""
        ...

    async def before(self, episode: Episode, *, profile_hash: str) -> Before:
        """Return what served the episode before."""
        ...


class Memory(Protocol):
    async def evidence(self, releases: Sequence[Release]) -> Mapping[str, Evidence]:
        """Return what is known of releases, by infohash."""
        ...

    async def note(self, result: Result) -> None:
        """Remember what a race showed."""
        ...


class Blocklist(Protocol):
    async def against(self, releases: Sequence[Release], *, key: EpisodeKey) -> Mapping[str, Rejection]:
        """Return what is against choosing releases for an episode, by infohash."""
        ...


class Enrich(Protocol):
    def __call__(self, release: Release, evidence: Evidence) -> Release: ...


class ProbeOutcome(StrEnum):
    """How trying a swarm ended."""

    PROVED = "proved"
    FELL_SHORT = "fell_short"
    REFUSED = "refused"
    SILENT = "silent"


class ProbeCounter(Protocol):
    def __call__(self, outcome: ProbeOutcome) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long choosing may take."""

    total: timedelta = timedelta(seconds=15)
    per_race: timedelta = timedelta(seconds=4)
    runners: int = 3
    """Swarms that are tried side by side."""
    swarms: int = 6
    """Candidates whose swarms are tried, at most."""


@dataclass(slots=True)
class _Attempt:
    """How far one choice has come."""

    episode: Episode
    profile: Profile
    candidates: Sequence[Candidate] = ()
    told: dict[str, str] = field(default_factory=dict)
    """What swarms showed, for people, by infohash."""
    reasons: dict[str, tuple[Reason, ...]] = field(default_factory=dict)
    """Why those that ran can't be played, by infohash."""
    held: Set[str] = frozenset()
    """Infohashes that a node has data of."""

    def note(self, result: Result) -> None:
        """Note what a heat showed, also on the candidates."""
        self.told |= {run.candidate.release.infohash: run.told for run in result.runs}
        self.reasons |= _reasons(result)
        self.take(self.candidates)

    def take(self, candidates: Sequence[Candidate]) -> None:
        """Take candidates in their order, with what their swarms showed so far."""
        self.candidates = [
            one.with_observation(self.told[one.release.infohash]) if one.release.infohash in self.told else one
            for one in candidates
        ]


@dataclass(frozen=True, slots=True)
class Chooser:
    """Makes decisions; remembers nothing itself."""

    catalog: Catalog
    search: Search
    scoring: Scoring
    nodes: Nodes
    history: History
    memory: Memory
    blocklist: Blocklist
    enrich: Enrich
    count_probe: ProbeCounter
    patience: Patience = field(default_factory=Patience)

    async def choose(self, key: EpisodeKey, *, profile: Profile, known: Sequence[Release] = ()) -> Decision:
        """Search, rank, and let the best race until one has the wanted file and its bytes flow.

        A season pack that is here already and has served this profile needs no search: it is what full health means.
        *known* releases are tried before anybody is asked for more.

        Raises:
            NoPlayableRelease: none has; the failure lists each candidate with its reasons.
            Unavailable: it is not known, because the stream node did not answer for one of them.
        """
        with deadline(self.patience.total):
            attempt, packs = await self._begin(key, profile)
            if not known and packs and (decision := await self._try_here(attempt, packs)):
                return decision
            if known and (decision := await self._try(attempt, known)):
                return decision
            found = await self.search.releases(attempt.episode, profile_hash=profile.hash)
            fresh = {one.infohash: one for one in (*known, *found.releases)}
            if decision := await self._try(attempt, list(fresh.values())):
                return decision
            if any(reason.code == NODE_LATE for reasons in attempt.reasons.values() for reason in reasons):
                raise Unavailable("The stream node did not answer in time.")
            refused = [Refusal(one.release, _why(one, attempt.reasons)) for one in attempt.candidates]
            raise NoPlayableRelease(key, refused=refused, unavailable=found.unavailable, candidates=attempt.candidates)

    async def survey(self, key: EpisodeKey, *, profile: Profile) -> Sequence[Candidate]:
        """Search and rank, and ask no swarm: what a pick that was made without a search might have been."""
        with deadline(self.patience.total):
            attempt, packs = await self._begin(key, profile)
            found = await self.search.releases(attempt.episode, profile_hash=profile.hash)
            releases = {one.infohash: one for one in (*packs, *found.releases)}
            return await self._rank(list(releases.values()), attempt)

    async def _begin(self, key: EpisodeKey, profile: Profile) -> tuple["_Attempt", list[Release]]:
        """Ask what does not depend on anything; return it with the series' packs that a node has data of."""
        async with _together() as group:
            episode = group.create_task(self.catalog.episode(key))
            held = group.create_task(self.nodes.held())
            packs = group.create_task(self.history.packs(key.series_id, profile_hash=profile.hash))
        attempt = _Attempt(episode.result(), profile, held=held.result())
        return attempt, [one for one in packs.result() if one.infohash in attempt.held]

    async def _try_here(self, attempt: "_Attempt", packs: Sequence[Release]) -> Decision | None:
        """Take the best pack that is here already, if nothing is against it and it proves itself."""
        ranked = await self._rank(packs, attempt)
        heat = [one for one in ranked if one.ranking.tier is Tier.OK][:1]
        result = await self._race(heat, attempt.episode, within=_HERE) if heat else None
        if result is None or result.winner is None or not result.winner.proved:
            return None
        return replace(_decision(attempt, result.winner, ranked), searched=False)

    async def _try(self, attempt: "_Attempt", releases: Sequence[Release]) -> Decision | None:
        """Let the best of *releases* race that did not run yet."""
        attempt.take(await self._rank(releases, attempt))
        playable = [
            one
            for one in attempt.candidates
            if one.ranking.tier is not Tier.REFUSED and one.release.infohash not in attempt.reasons
        ]
        for heat in _heats(playable[: self.patience.swarms], self.patience.runners):
            result = await self._race(heat, attempt.episode)
            if result is None:
                return None
            attempt.note(result)
            if result.winner and result.winner.chosen:
                return _decision(attempt, result.winner, attempt.candidates)
        return None

    async def review(self, pick: Pick, *, profile: Profile, known: Sequence[Release]) -> tuple[Decision, str] | None:
        """Look whether something that proved itself takes the place of an old pick; say why, or None if it stays."""
        with deadline(self.patience.total):
            attempt, _ = await self._begin(pick.key, profile)
            found = await self.search.releases(attempt.episode, profile_hash=profile.hash)
            releases = {one.infohash: one for one in known if one.infohash == pick.infohash}
            releases |= {one.infohash: one for one in found.releases}
            attempt.take(await self._rank(list(releases.values()), attempt))
            challenger = challenge(attempt.candidates, infohash=pick.infohash)
            result = await self._race([challenger.candidate], attempt.episode) if challenger else None
            if challenger is None or result is None:
                return None
            attempt.note(result)
            winner = result.winner
            if winner is None or not winner.proved:
                return None
            return _decision(attempt, winner, attempt.candidates), challenger.because

    async def verify(self, candidate: Candidate, *, key: EpisodeKey) -> ChosenFile:
        """Find the episode's file in one candidate.

        Raises:
            CandidateRefused: scoring refused it, its swarm is silent, or the episode is not in it.
        """
        with deadline(self.patience.total):
            episode = await self.catalog.episode(key)
            against = tuple(gate for gate in candidate.ranking.gates if gate.code not in OVERRULABLE)
            if against and candidate.ranking.tier is Tier.REFUSED:
                raise CandidateRefused(Refusal(candidate.release, against))
            result = await self._race([candidate], episode)
            if result and result.winner and result.winner.chosen:
                return result.winner.chosen
            reasons = _reasons(result) if result else {}
            raise CandidateRefused(Refusal(candidate.release, _why(candidate, reasons)))

    async def _rank(self, releases: Sequence[Release], attempt: "_Attempt") -> list[Candidate]:
        if not releases:
            return []
        episode, profile = attempt.episode, attempt.profile
        async with _together() as group:
            before = group.create_task(self.history.before(episode, profile_hash=profile.hash))
            memory = group.create_task(self.memory.evidence(releases))
            against = group.create_task(self.blocklist.against(releases, key=episode.key))
        known, blocked = memory.result(), against.result()
        informed = {}
        for one in releases:
            told = blocked[one.infohash].told if one.infohash in blocked else ""
            evidence = replace(known[one.infohash], held=one.infohash in attempt.held, blocked=told)
            informed[one.infohash] = self.enrich(one, evidence)
        rankings = await self.scoring.rank(
            list(informed.values()), episode=episode, profile=profile, before=before.result()
        )
        return [Candidate(informed[infohash], ranking) for infohash, ranking in rankings.items()]

    async def _race(
        self, heat: Sequence[Candidate], episode: Episode, *, within: timedelta = timedelta.max
    ) -> Result | None:
        """Run one heat and remember what it showed; None when there is no time for it."""
        within = min(within, self.patience.per_race, (time_left() or self.patience.total) - _RESERVE)
        if within < _SHORTEST_RACE:
            return None
        result = await race(heat, swarms=self.nodes, episode=episode, within=within)
        await self.memory.note(result)
        for run in result.runs:
            self.count_probe(_outcome(run))
        return result


def _decision(attempt: _Attempt, winner: Run, candidates: Sequence[Candidate]) -> Decision:
    if winner.chosen is None:
        raise ValueError("a run without a file can't win")
    best = winner.candidate.with_observation(winner.told)
    return Decision(Choice(attempt.episode.key, attempt.profile, best, winner.chosen), candidates)


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """Do things at the same time; the first failure is raised as it is, and ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _heats(candidates: Sequence[Candidate], runners: int) -> Iterator[Sequence[Candidate]]:
    for start in range(0, len(candidates), runners):
        yield candidates[start : start + runners]


def _outcome(run: Run) -> ProbeOutcome:
    if run.chosen:
        return ProbeOutcome.PROVED if run.proved else ProbeOutcome.FELL_SHORT
    return ProbeOutcome.SILENT if any(one.code == "SWARM_SILENT" for one in run.reasons) else ProbeOutcome.REFUSED


def _reasons(result: Result) -> dict[str, tuple[Reason, ...]]:
    return {run.candidate.release.infohash: run.reasons for run in result.runs}


def _why(candidate: Candidate, reasons: Mapping[str, tuple[Reason, ...]]) -> tuple[Reason, ...]:
    if candidate.ranking.tier is Tier.REFUSED:
        return candidate.ranking.gates
    untried = Reason("NOT_TRIED", f"{len(reasons)} better ones were tried first, and there was no time for more")
    return reasons.get(candidate.release.infohash) or (untried,)
