"""Chooses a release for an episode: what it is called, who has it, which is best, and whether the swarm agrees."""

from collections.abc import Iterator, Mapping, Sequence, Set
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
from vod_picks.race import Result, Run, Swarms, race
from vod_picks.rejections import Rejection
from vod_picks.reviewing import challenge
from vod_rpc import deadline, time_left

_SHORTEST_RACE = timedelta(milliseconds=300)
"""Asking a swarm for less than this would only tell that there was no time."""
OVERRULABLE = frozenset({"BLOCKLISTED", "AMBIGUOUS_NUMBERING"})
"""Gates that a person who chooses by hand may know better than; its swarm still has to have the file."""
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
    async def before(self, episode: Episode, *, profile_hash: str) -> Before:
        """Return what served the episode before."""
        ...


class Memory(Protocol):
    async def evidence(self, releases: Sequence[Release]) -> Mapping[str, Evidence]:
        """Return what is known of releases, by infohash."""
        ...

    async def note(self, runs: Sequence[Run]) -> None:
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

        *known* releases are tried before anybody is asked for more.

        Raises:
            NoPlayableRelease: none has; the failure lists each candidate with its reasons.
        """
        with deadline(self.patience.total):
            attempt = _Attempt(await self.catalog.episode(key), profile)
            if known and (decision := await self._try(attempt, known)):
                return decision
            found = await self.search.releases(attempt.episode, profile_hash=profile.hash)
            fresh = {one.infohash: one for one in (*known, *found.releases)}
            if decision := await self._try(attempt, list(fresh.values())):
                return decision
            refused = [Refusal(one.release, _why(one, attempt.reasons)) for one in attempt.candidates]
            raise NoPlayableRelease(key, refused=refused, unavailable=found.unavailable, candidates=attempt.candidates)

    async def _try(self, attempt: "_Attempt", releases: Sequence[Release]) -> Decision | None:
        """Let the best of *releases* race that did not run yet."""
        attempt.take(await self._rank(releases, episode=attempt.episode, profile=attempt.profile))
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
            if (winner := result.winner) and (chosen := winner.chosen):
                best = winner.candidate.with_observation(winner.told)
                return Decision(Choice(attempt.episode.key, attempt.profile, best, chosen), attempt.candidates)
        return None

    async def review(self, pick: Pick, *, profile: Profile, known: Sequence[Release]) -> tuple[Decision, str] | None:
        """Look whether something that proved itself takes the place of an old pick; say why, or None if it stays."""
        with deadline(self.patience.total):
            attempt = _Attempt(await self.catalog.episode(pick.key), profile)
            found = await self.search.releases(attempt.episode, profile_hash=profile.hash)
            releases = {one.infohash: one for one in known if one.infohash == pick.infohash}
            releases |= {one.infohash: one for one in found.releases}
            attempt.take(await self._rank(list(releases.values()), episode=attempt.episode, profile=profile))
            challenger = challenge(attempt.candidates, infohash=pick.infohash)
            result = await self._race([challenger.candidate], attempt.episode) if challenger else None
            if challenger is None or result is None:
                return None
            attempt.note(result)
            winner = result.winner
            if winner is None or winner.chosen is None or not winner.proved:
                return None
            best = winner.candidate.with_observation(winner.told)
            choice = Choice(pick.key, profile, best, winner.chosen)
            return Decision(choice, attempt.candidates), challenger.because

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

    async def _rank(self, releases: Sequence[Release], *, episode: Episode, profile: Profile) -> list[Candidate]:
        if not releases:
            return []
        before = await self.history.before(episode, profile_hash=profile.hash)
        known, held = await self.memory.evidence(releases), await self.nodes.held()
        blocked = await self.blocklist.against(releases, key=episode.key)
        informed = {}
        for one in releases:
            against = blocked[one.infohash].told if one.infohash in blocked else ""
            evidence = replace(known[one.infohash], held=one.infohash in held, blocked=against)
            informed[one.infohash] = self.enrich(one, evidence)
        rankings = await self.scoring.rank(list(informed.values()), episode=episode, profile=profile, before=before)
        return [Candidate(informed[infohash], ranking) for infohash, ranking in rankings.items()]

    async def _race(self, heat: Sequence[Candidate], episode: Episode) -> Result | None:
        """Run one heat and remember what it showed; None when there is no time for it."""
        within = min(self.patience.per_race, (time_left() or self.patience.total) - _RESERVE)
        if within < _SHORTEST_RACE:
            return None
        result = await race(heat, swarms=self.nodes, episode=episode, within=within)
        await self.memory.note(result.runs)
        for run in result.runs:
            self.count_probe(_outcome(run))
        return result


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
