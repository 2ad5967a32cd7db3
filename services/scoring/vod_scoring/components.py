"""The four components of a score, each a value of 0 to 1 with its reason. Unknown inputs are neutral and named."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from vod_scoring.domain import Candidate, Codec, Device, Source, Traits, Wanted
from vod_scoring.policy import Picture, Policy
from vod_scoring.sizes import FileSize

TRUSTED = 0.7  # below this, the explanation says so


@dataclass(frozen=True, slots=True)
class Value:
    """A value of 0 to 1, what it was made of, and the names of inputs that were not known."""

    value: float
    reason: str
    unknowns: tuple[str, ...] = ()


def health(candidate: Candidate, size: FileSize, policy: Policy) -> Value:
    """Rate the swarm by what was seen of it, as far as that is known, else by what an indexer claims."""
    if candidate.held:
        return Value(1.0, "its data is here already")
    claimed = _claimed_health(candidate, size, policy)
    if (seen := candidate.observed) is None or seen.age >= policy.health.memory:
        return claimed
    # What was seen counts less the older it is; e^-1 of it is left when it is forgotten.
    weight = math.exp(-seen.age / policy.health.memory)
    mbps = seen.bytes_per_second * 8 / 1_000_000
    value = weight * _sufficiency(mbps, size, policy) + (1 - weight) * claimed.value
    return Value(value, f"{_ago(seen.age)} {mbps:.1f} Mbit/s came from {seen.peers} peers; {claimed.reason}")


def _ago(age: timedelta) -> str:
    minutes = round(age.total_seconds() / 60)
    return "just now" if not minutes else f"{minutes} min ago" if minutes < 60 else f"{round(minutes / 60)} h ago"


def _sufficiency(mbps: float, size: FileSize, policy: Policy) -> float:
    """Rate a supply against the need: a logistic of the log of their ratio."""
    ratio: float = (mbps / (policy.health.headroom * size.assumed_mbps)) ** policy.health.steepness
    # Not ratio / (1 + ratio), which rounding makes fall now and then where it should rise.
    return 1 - 1 / (1 + ratio)


def _claimed_health(candidate: Candidate, size: FileSize, policy: Policy) -> Value:
    """Rate the supply that an indexer claims against the bitrate that is needed."""
    rules = policy.health
    if candidate.web_seeded:
        return Value(rules.web_seeded, "served over HTTP, too")
    if candidate.seeders is None:
        return Value(rules.unknown, "how many seed is not known", ("seeders",))
    seeders = candidate.seeders
    leechers = rules.assumed_leechers * seeders if candidate.leechers is None else candidate.leechers
    unknowns = ("leechers",) if candidate.leechers is None else ()
    if not seeders:
        return Value(0.0, "nobody seeds", unknowns)
    trust = rules.trust_of_unknown if candidate.trust is None else candidate.trust
    if_true = _crowd_health(seeders, leechers, size, policy)
    # Who lies counts seeders that are not there; the leechers are.
    if_not = _crowd_health(rules.left_of_a_lie * seeders, leechers, size, policy)
    # Rounded, so that no last bit of a float makes a better one worse.
    value = round(trust * if_true + (1 - trust) * if_not, 9)
    usual = "" if size.mbps is not None else " (as usual for such a picture)"
    against = f"{seeders} seeders" + (f" and {candidate.leechers} leechers" if candidate.leechers is not None else "")
    doubt = f"; {candidate.indexer or 'the indexer'} often claims too many" if trust < TRUSTED else ""
    return Value(value, f"{against} for {size.assumed_mbps:.1f} Mbit/s{usual}{doubt}", unknowns)


def _crowd_health(seeders: float, leechers: float, size: FileSize, policy: Policy) -> float:
    """Rate the supply of so many seeders, of whom any may be gone."""
    rules = policy.health
    effective = seeders**2 / (seeders + rules.leecher_weight * leechers)
    anybody: float = 1 - rules.gone**seeders
    return _sufficiency(rules.mbps_per_seeder * effective, size, policy) * anybody


def quality(candidate: Candidate, device: Device, policy: Policy) -> Value:
    """Rate picture, source, codec, audio and dynamic range by what the device can make of them."""
    rules, traits = policy.quality, candidate.traits
    parts = (
        (rules.shares.picture, _picture(traits, device, rules.picture)),
        (rules.shares.source, _source(traits, policy)),
        (rules.shares.codec, _codec(traits, device, policy)),
        (rules.shares.audio, _audio(traits, device, policy)),
        (rules.shares.hdr, _hdr(traits, device, policy)),
    )
    return Value(
        math.prod(1 - share * (1 - part.value) for share, part in parts),
        ", ".join(part.reason for _, part in parts if part.reason),
        tuple(name for _, part in parts for name in part.unknowns),
    )


def _picture(traits: Traits, device: Device, rules: Picture) -> Value:
    if not traits.height:
        return Value(rules.unknown, "resolution not stated", ("resolution",))
    ceiling = device.max_height or rules.lines[-1]
    look = _looks(min(traits.height, ceiling), rules.lines, rules.looks) / _looks(ceiling, rules.lines, rules.looks)
    return Value(look, f"{traits.height}p")


def _looks(height: int, lines: Sequence[int], looks: Sequence[float]) -> float:
    """Interpolate between the steps; below the first and above the last it stays as it is there."""
    if height <= lines[0]:
        return looks[0]
    if height >= lines[-1]:
        return looks[-1]
    above = bisect_left(lines, height)
    part = (height - lines[above - 1]) / (lines[above] - lines[above - 1])
    return looks[above - 1] + part * (looks[above] - looks[above - 1])


def _source(traits: Traits, policy: Policy) -> Value:
    value = policy.quality.source[traits.source.name]
    if traits.source is Source.UNSPECIFIED:
        return Value(value, "source not stated", ("source",))
    return Value(value, traits.source.value)


def _codec(traits: Traits, device: Device, policy: Policy) -> Value:
    rules = policy.quality.codec
    if traits.codec is Codec.UNSPECIFIED:
        return Value(rules.unknown, "codec not stated", ("codec",))
    is_playable = traits.codec in device.codecs and (device.hi10p or not traits.hi10p)
    return Value(rules.supported if is_playable else rules.unsupported, traits.codec.value)


def _audio(traits: Traits, device: Device, policy: Policy) -> Value:
    rules = policy.quality.audio
    if not device.audio_languages:
        return Value(rules.wanted, "")
    wanted = [language for language in device.audio_languages if language in traits.languages]
    if wanted:
        return Value(rules.wanted, f"audio in {wanted[0]}")
    if traits.multi_audio:
        return Value(rules.multi, "audio in several languages")
    if traits.languages:
        return Value(rules.other, f"audio in {', '.join(traits.languages)} only")
    return Value(rules.unknown, "audio language not stated", ("audio language",))


def _hdr(traits: Traits, device: Device, policy: Policy) -> Value:
    rules = policy.quality.hdr
    is_wide = traits.hdr or traits.dolby_vision
    if is_wide and not device.hdr and not (traits.dolby_vision and device.dolby_vision):
        return Value(rules.tone_mapped, "HDR on an ordinary display")
    if device.hdr and not is_wide:
        return Value(rules.plain, "no HDR")
    return Value(rules.matches, "HDR" if is_wide else "")


def size_sanity(size: FileSize, candidate: Candidate, wanted: Wanted, policy: Policy) -> Value:
    """Rate how near the file is to what good encodes weigh; of films also how many bits the picture has."""
    rules = policy.size
    if size.mb_per_minute is None:
        unknowns = (("size",) if not candidate.size_bytes else ()) + (("runtime",) if not wanted.runtime else ())
        return Value(rules.unknown, "size per minute not known", unknowns or ("size of one file of the pack",))
    per_minute, low, high = size.mb_per_minute, size.band.low, size.band.high
    value = 1.0
    if per_minute < low:
        value = max(0.0, 1 - math.log2(low / per_minute) / rules.below)
    elif per_minute > high and not wanted.movie:
        value = max(0.0, 1 - math.log2(per_minute / high) / rules.above)
    if wanted.movie:
        richness = min(1.0, math.log2(1 + size.assumed_mbps) / math.log2(1 + rules.film.full_mbps))
        value *= rules.film.floor + (1 - rules.film.floor) * richness
    return Value(value, f"{per_minute:.1f} MB per minute, {low:g} to {high:g} are usual")


def consistency(candidate: Candidate, wanted: Wanted, policy: Policy) -> Value:
    """Rate whether it comes from the group of the episode before."""
    rules = policy.consistency
    group, previous = candidate.traits.group, wanted.previous_group
    if wanted.previous_infohash and candidate.infohash == wanted.previous_infohash:
        return Value(rules.same_pack, "the pack that the episode before is in")
    if not previous:
        return Value(rules.unknown, "there is no episode before to compare with")
    if not group:
        return Value(rules.unknown, "release group not stated", ("group",))
    if group.casefold() == previous.casefold():
        return Value(rules.same_group, f"{group}, like the episode before")
    return Value(rules.other_group, f"{group}, the episode before was by {previous}")
