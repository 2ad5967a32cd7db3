"""From announcements to releases: one per infohash, the promising ones first."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce

from vod_search.domain import Announcement, Infohash, Kind, Release, ReleaseTraits, Source, Wanted
from vod_search.magnets import MOST_TRACKERS
from vod_search.queries import title_key
from vod_search.release_name import parse

MOST_PARSED = 400  # names cost a millisecond each
ONE_EPISODE = re.compile(r"(?<![A-Za-z0-9])S(\d{1,4})[ ._]?E(\d{1,4})(?![\dE+&~-]|[ ._-]*E\d)", re.IGNORECASE)
COUNTRIES = ("us", "uk", "au", "nz", "ca", "usa", "gb")
SHORTEST_BEGINNING = 5
STOLEN = (Source.CAM, Source.TELESYNC, Source.TELECINE, Source.SCREENER)


def prominent(found: Iterable[Announcement], wanted: Wanted) -> list[Announcement]:
    """Return at most 400 announcements.

    Those that contain the wanted title come first, then those that do not plainly name another episode, then those
    with more seeders.
    """
    keys = [key for title in wanted.titles if (key := title_key(title))]

    def order(one: Announcement) -> tuple[bool, bool, int, str, str]:
        name = title_key(one.title)
        is_other = not any(key in name for key in keys)
        return is_other, _names_another(one.title, wanted), -(one.seeders or 0), one.title, one.infohash or ""

    return sorted(set(found), key=order)[:MOST_PARSED]


def _names_another(name: str, wanted: Wanted) -> bool:
    """Tell at a glance whether *name* has one episode in it, and that is not the wanted one."""
    episodes = ONE_EPISODE.findall(name)
    numbers = {(int(season), int(episode)) for season, episode in episodes}
    return wanted.kind is Kind.SERIES and len(episodes) == 1 and (wanted.season, wanted.episode) not in numbers


def worth_resolving(found: Sequence[Announcement], wanted: Wanted, *, most: int) -> list[Announcement]:
    """Choose whose download links to follow: likely to be played, and lacking an infohash or any tracker.

    Following a link costs the user one of the indexer's grabs, so it is done for *most* announcements only.
    """
    complete = {one.infohash for one in found if one.infohash and one.trackers}
    chosen: dict[str, Announcement] = {}
    for one in sorted(found, key=lambda one: (-_promise(one, wanted), -(one.seeders or 0), one.title, one.indexer)):
        if one.download_url and one.infohash not in complete and _promise(one, wanted) > 0:
            chosen.setdefault(one.infohash or one.download_url, one)
    return list(chosen.values())[:most]


def _promise(one: Announcement, wanted: Wanted) -> int:
    """Say how likely it is that this is what is wanted: 0 if its name says that it is something else."""
    traits = parse(one.title, wanted.kind)
    if not _may_be_called(traits, wanted) or traits.extra or traits.source in STOLEN:
        return 0
    if traits.air_date and wanted.air_date and traits.air_date != wanted.air_date:
        return 0
    if traits.seasons and wanted.season not in traits.seasons and wanted.kind is not Kind.MOVIE:
        return 0
    if traits.absolutes and wanted.absolute and wanted.absolute not in traits.absolutes:
        return 0
    return 0 if traits.episodes and wanted.episode not in traits.episodes else 1 + bool(one.infohash is None)


def _may_be_called(traits: ReleaseTraits, wanted: Wanted) -> bool:
    """Tell whether a name's title is a wanted one, or that with a country, a year or, for anime, more words behind it.

    Scoring decides; here a doubt costs no more than a link to follow.
    """
    keys = {key for title in wanted.titles if (key := title_key(title))}
    stated = {title_key(title) for title in traits.titles}
    behind = {*COUNTRIES, str(traits.year)}
    return any(
        name in keys
        or f"{name}{traits.year}" in keys
        or any(name == f"{key}{more}" for key in keys for more in behind)
        or (wanted.kind is Kind.ANIME and any(name.startswith(key) for key in keys if len(key) >= SHORTEST_BEGINNING))
        for name in stated
    )


def releases(found: Iterable[Announcement], kind: Kind) -> list[Release]:
    """Merge announcements of the same infohash and read their names; those without an infohash are of no use."""
    by_hash: dict[Infohash, list[Announcement]] = {}
    for one in found:
        if one.infohash:
            by_hash.setdefault(one.infohash, []).append(one)
    return [_release(infohash, same, kind) for infohash, same in sorted(by_hash.items())]


def merge(left: Announcement, right: Announcement) -> Announcement:
    """Join what two indexers say about one infohash; neither order nor grouping matters.

    Peers are those of the swarm that looks best, because indexers count different trackers; sizes are the smaller.
    """
    best = max(left, right, key=_peers)
    sizes = [one.size_bytes for one in (left, right) if one.size_bytes]
    dates = [one.published_at for one in (left, right) if one.published_at]
    return replace(
        best,
        indexer="",
        download_url="",
        v2=max(left.v2, right.v2),
        size_bytes=min(sizes, default=0),
        published_at=min(dates, default=0),
        trackers=left.trackers | right.trackers,
        web_seeded=left.web_seeded or right.web_seeded,
        web_seeds=left.web_seeds | right.web_seeds,
        exact_source=max(left.exact_source, right.exact_source),
    )


def _peers(one: Announcement) -> tuple[int, int, int, str]:
    seeders = -1 if one.seeders is None else one.seeders
    # Unknown leechers count as many, so that they never replace a known number.
    return seeders, one.leechers is not None, -(one.leechers or 0), one.title


def _release(infohash: Infohash, same: Sequence[Announcement], kind: Kind) -> Release:
    merged = reduce(merge, same)
    return Release(
        infohash=infohash,
        title=merged.title,
        traits=parse(merged.title, kind),
        indexers=tuple(sorted({one.indexer for one in same})),
        v2=merged.v2,
        size_bytes=merged.size_bytes,
        seeders=merged.seeders,
        leechers=merged.leechers,
        published_at=merged.published_at,
        trackers=tuple(sorted(merged.trackers)[:MOST_TRACKERS]),
        web_seeded=merged.web_seeded,
        web_seeds=tuple(sorted(merged.web_seeds)),
        exact_source=merged.exact_source,
    )
