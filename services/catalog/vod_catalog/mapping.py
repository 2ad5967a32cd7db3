"""Where an anime's episode lies in TMDb's and TVDB's seasons, and how sure that is. Pure: data in, answer out.

Two sets of data are read against each other: Anime-Lists says season and offset of each entry, anime-relations how
the numbers of one entry run on into the next. Where they contradict each other nothing is answered but the candidates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from vod_catalog.animelists import ABSOLUTE, AnidbEntry, AnimeLists, Spot
from vod_catalog.relations import EntryEpisode, Relations

BOUND = 0.6
"""Below it nothing is answered as if it were known."""
_TWO_SOURCES, _ONE_SOURCE, _CARRIED_ON, _TVDB_ONLY, _AMBIGUOUS, _CONTRADICTED = 0.95, 0.9, 0.6, 0.6, 0.5, 0.3


class Flag(Enum):
    """What is to be said about a mapping."""

    CONTRADICTION = "contradiction"
    AMBIGUOUS = "ambiguous"
    PAST_THE_LAST_SPAN = "past-the-last-span"
    TVDB_ONLY = "tvdb-only"
    UNMAPPED_ON_PURPOSE = "unmapped-on-purpose"
    NO_DATA = "no-data"
    """The mapping data were read, and say nothing of it."""
    DATA_NOT_FETCHED = "data-not-fetched"
    """There are no mapping data yet: nobody can say."""
    CHAIN_BROKEN = "chain-broken"
    NOT_UPSTREAM = "not-upstream"
    """TMDb has no such episode."""
    NOT_ASKED = "not-asked"
    """TMDb could not be asked: there is no key, or it is down."""
    BY_AIR_DATE = "by-air-date"
    AIR_DATE_CONTRADICTS = "air-date-contradicts"


@dataclass(frozen=True, slots=True)
class Target:
    """A position in a season of a show of TMDb, or a film of TMDb."""

    show: int | None
    spot: Spot
    film: int | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where an episode lies: targets, best first; several only where the data name several."""

    episode: EntryEpisode | None
    targets: tuple[Target, ...]
    tvdb: tuple[tuple[int, Spot], ...]
    imdb: tuple[str, ...]
    anidb: tuple[int, ...]
    confidence: float
    flags: frozenset[Flag]


def map_entry(asked: EntryEpisode, *, lists: AnimeLists, relations: Relations, counts: Mapping[int, int]) -> Mapped:
    """Return where an episode of MyAnimeList lies; *counts* has the lengths of entries as far as they are known."""
    episode = relations.redirect(asked)
    entries = lists.of_mal(episode.entry)
    is_many_to_many = len(entries) > 1 or any(entry.own_mal != entry.mal for entry in entries)
    found = [(entry, _anidb_episode(entry, episode, relations)) for entry in entries]
    mapped = _map(found)
    if not entries:
        return replace(mapped, episode=episode)
    if is_many_to_many:
        flags = mapped.flags | {Flag.AMBIGUOUS}
        return replace(mapped, episode=episode, confidence=min(mapped.confidence, _AMBIGUOUS), flags=flags)
    verdicts = [_check(entry, episode.entry, lists, relations, counts) for entry in entries]
    contradicting = [target for verdict in verdicts for target in verdict.instead]
    if contradicting:
        shifted = [Target(t.show, Spot(t.spot.season, t.spot.position + episode.episode - 1)) for t in contradicting]
        return replace(
            mapped,
            episode=episode,
            targets=(*mapped.targets, *shifted),
            confidence=_CONTRADICTED,
            flags=mapped.flags | {Flag.CONTRADICTION},
        )
    if any(verdict.is_broken for verdict in verdicts):
        return replace(
            mapped,
            episode=episode,
            confidence=min(mapped.confidence, _CONTRADICTED),
            flags=mapped.flags | {Flag.CHAIN_BROKEN},
        )
    agreed = mapped.confidence == _ONE_SOURCE and any(verdict.is_confirmed for verdict in verdicts)
    return replace(mapped, episode=episode, confidence=_TWO_SOURCES if agreed else mapped.confidence)


def map_anidb(anidb: int, number: int, *, lists: AnimeLists) -> Mapped:
    """Return where an episode of AniDB lies."""
    entry = lists.by_id.get(anidb)
    return _map([(entry, number)] if entry else [])


def entries_at(target: Target, *, lists: AnimeLists) -> list[EntryEpisode]:
    """Return which entries' episodes lie at a place of TMDb: several where the data say so."""
    if target.film is not None:
        return [EntryEpisode(mal, 1) for entry in lists.of_film(target.film) for mal in entry.mal]
    found: list[EntryEpisode] = []
    for entry in lists.of_show(target.show) if target.show else ():
        number = _inverse(entry, target.spot)
        found += [EntryEpisode(mal, number) for mal in entry.mal[:1] if number]
    # Within a season the entry that begins last before the position is the one that holds it.
    starts = {one: target.spot.position - one.episode for one in found}
    return [one for one in found if starts[one] == max(starts.values())]


def _inverse(entry: AnidbEntry, spot: Spot) -> int | None:
    for span in entry.tmdb.spans:
        for here, there in span.pairs.items():
            if span.season == spot.season and spot.position in there:
                return here
        here = spot.position - span.offset
        if span.season == spot.season and span.first and span.first <= here and (span.last or here) >= here:
            return here
    if entry.tmdb.season == spot.season and spot.position > entry.tmdb.offset:
        return spot.position - entry.tmdb.offset
    return None


def _map(found: Sequence[tuple[AnidbEntry, int]]) -> Mapped:
    targets: dict[Target, None] = {}
    tvdb: dict[tuple[int, Spot], None] = {}
    flags: set[Flag] = set()
    on_purpose = False
    for entry, number in found:
        spots = entry.tmdb.spots(number) if entry.tmdb.show else None
        if spots is not None:
            on_purpose |= not spots
            targets |= {Target(entry.tmdb.show, spot): None for spot in spots}
            if entry.tmdb.is_past_the_last_span(number):
                flags.add(Flag.PAST_THE_LAST_SPAN)
        elif film := _film(entry, number):
            targets |= {Target(None, Spot(1, 1), film): None}
        if entry.tvdb.show:
            tvdb |= {(entry.tvdb.show, spot): None for spot in entry.tvdb.spots(number) or ()}
    confidence = _ONE_SOURCE if targets else 0.0
    if Flag.PAST_THE_LAST_SPAN in flags:
        confidence = _CARRIED_ON
    if not targets:
        flags.add(Flag.UNMAPPED_ON_PURPOSE if on_purpose else Flag.TVDB_ONLY if tvdb else Flag.NO_DATA)
        confidence = _TVDB_ONLY if tvdb and not on_purpose else 0.0
    imdb = tuple(dict.fromkeys(one for entry, _ in found for one in entry.imdb))
    anidb = tuple(entry.id for entry, _ in found)
    return Mapped(None, tuple(targets), tuple(tvdb), imdb, anidb, confidence, frozenset(flags))


def _film(entry: AnidbEntry, number: int) -> int | None:
    return entry.films[number - 1] if 0 < number <= len(entry.films) else None


def _anidb_episode(entry: AnidbEntry, episode: EntryEpisode, relations: Relations) -> int:
    """Return AniDB's number; where it has one entry for several of MyAnimeList, the rules tell how they run on."""
    if len(entry.own_mal) < 2 or entry.own_mal[0] == episode.entry:
        return episode.episode
    inside = [one.episode for one in relations.continuous(episode) if one.entry == entry.own_mal[0]]
    if inside:
        return inside[0]
    numbers = {number for span in entry.tvdb.spans for number in span.pairs}
    is_one_each = numbers == set(range(1, len(entry.mal) + 1))
    return entry.mal.index(episode.entry) + episode.episode if is_one_each else episode.episode


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What the neighbours in the chain say: agreed, broken, or where it should lie instead (its first episode)."""

    is_confirmed: bool = False
    is_broken: bool = False
    instead: tuple[Target, ...] = ()


def _check(entry: AnidbEntry, mal: int, lists: AnimeLists, relations: Relations, counts: Mapping[int, int]) -> _Verdict:
    season, show = entry.tmdb.season, entry.tmdb.show
    if show is None or season is None or season in (0, ABSOLUTE) or entry.tmdb.spans:
        return _Verdict()
    for earlier in relations.continuous(EntryEpisode(mal, 1)):
        for root in lists.of_mal(earlier.entry):
            if root.tmdb.show != show or root.tmdb.spans or root.tmdb.season in (None, 0, ABSOLUTE):
                continue
            verdict = _against_root(entry, mal, root, earlier, lists=lists, relations=relations)
            if verdict:
                return verdict
    return _against_predecessor(entry, lists, counts)


def _against_root(
    entry: AnidbEntry,
    mal: int,
    root: AnidbEntry,
    earlier: EntryEpisode,
    *,
    lists: AnimeLists,
    relations: Relations,
) -> _Verdict | None:
    position = root.tmdb.offset + earlier.episode
    season = root.tmdb.season
    if season is None:
        return None
    if season == entry.tmdb.season:
        if position == entry.tmdb.offset + 1:
            return _Verdict(is_confirmed=True)
        return _Verdict(instead=(Target(entry.tmdb.show, Spot(season, position)),))
    for rule in relations.targets(earlier.entry):
        # A later part that goes on in the root's season encloses this one: it cannot be elsewhere.
        encloses = any(
            later.tmdb.show == entry.tmdb.show
            and later.tmdb.season == season
            and later.tmdb.offset + rule.start == root.tmdb.offset + rule.first
            for later in lists.of_mal(rule.target)
        )
        if rule.target != mal and rule.first > earlier.episode and encloses:
            return _Verdict(instead=(Target(entry.tmdb.show, Spot(season, position)),))
    return None


def _against_predecessor(entry: AnidbEntry, lists: AnimeLists, counts: Mapping[int, int]) -> _Verdict:
    before = [
        other
        for other in lists.of_show(entry.tmdb.show or 0)
        if other.tmdb.season == entry.tmdb.season and other.tmdb.offset < entry.tmdb.offset and not other.tmdb.spans
    ]
    if not before:
        return _Verdict()
    last = max(before, key=lambda other: other.tmdb.offset)
    count = next((counts[mal] for mal in last.mal if mal in counts), None)
    if count is None:
        return _Verdict()
    gap = entry.tmdb.offset - last.tmdb.offset - count
    has_episode_zero = any(1 in span.pairs for span in (*last.tmdb.special_spans, *last.tvdb.special_spans))
    is_fine = gap == 0 or (abs(gap) == 1 and has_episode_zero)
    return _Verdict(is_confirmed=is_fine, is_broken=not is_fine)
