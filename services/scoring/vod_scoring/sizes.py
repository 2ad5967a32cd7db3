"""How large the wanted file is, as far as it can be known before the torrent is opened, and how large it should be."""

from dataclasses import dataclass

from vod_scoring.domain import Candidate, Codec, Source, Wanted
from vod_scoring.policy import Band, Policy, Size

MEGABYTE = 1_000_000
ALIKE = {Codec.VP9: Codec.HEVC.name, Codec.MPEG2: Codec.H264.name}  # as efficient as


@dataclass(frozen=True, slots=True)
class FileSize:
    """The wanted file's size per minute (MB) and its bitrate (Mbit/s); None where size or runtime are not known.

    `assumed_mbps` is the bitrate, or what is usual for such a picture.
    """

    mb_per_minute: float | None
    mbps: float | None
    assumed_mbps: float
    band: Band


def file_size(candidate: Candidate, wanted: Wanted, policy: Policy) -> FileSize:
    """Measure *candidate* by its share of the torrent; packs are divided by the number of episodes in them."""
    expected = band(candidate, policy.size)
    seconds = wanted.runtime.total_seconds()
    share = candidate.size_bytes / count if (count := _episode_count(candidate, wanted)) else 0.0
    if share <= 0 or seconds <= 0:
        return FileSize(None, None, _mbps(expected.centre), expected)
    mb_per_minute = share / MEGABYTE / (seconds / 60)
    return FileSize(mb_per_minute, _mbps(mb_per_minute), _mbps(mb_per_minute), expected)


def _mbps(mb_per_minute: float) -> float:
    return mb_per_minute * 8 / 60


def _episode_count(candidate: Candidate, wanted: Wanted) -> int:
    """Return how many episodes share the torrent's size; 0 if that is not known."""
    traits = candidate.traits
    if wanted.movie:
        return 1
    if traits.season_pack:
        return wanted.season_episode_count * len(traits.seasons)
    return max(len(traits.episodes), len(traits.absolutes), 1)


def band(candidate: Candidate, size: Size) -> Band:
    """Return what such a picture should weigh; where the name states less, whatever is possible."""
    traits = candidate.traits
    if traits.codec is Codec.MPEG4:
        return size.mpeg4
    if traits.source is Source.REMUX:
        heights = sorted(size.remux)
        return size.remux[next((lines for lines in heights if traits.height <= lines), heights[-1])]
    step = _step(traits.height, size)
    bands = [one for one in size.bands if one.lines == step] if traits.height else list(size.bands)
    codec = ALIKE.get(traits.codec, traits.codec.name)
    fitting = [one for one in bands if one.codec == codec] or bands
    return Band(low=min(one.low for one in fitting), high=max(one.high for one in fitting))


def _step(height: int, size: Size) -> int:
    """Return the lowest height of a band that is not below *height*, or the highest."""
    return min((one.lines for one in size.bands if height <= one.lines), default=max(one.lines for one in size.bands))
