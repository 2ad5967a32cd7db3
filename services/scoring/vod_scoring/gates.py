"""The gates: rules that a candidate fails for a reason. All are evaluated, all failures are reported."""

import re
from collections.abc import Iterator

from vod_scoring.domain import Candidate, Codec, Device, GateFailure, Source, Wanted
from vod_scoring.identity import identity_failures
from vod_scoring.policy import Policy
from vod_scoring.sizes import FileSize

STOLEN = frozenset({Source.CAM, Source.TELESYNC, Source.TELECINE, Source.SCREENER})
# Not `com`: sites put their address behind names. Picks looks at the files themselves before anything is played.
DANGEROUS = re.compile(
    r"\.(?:exe|scr|lnk|bat|cmd|pif|vbs|vbe|js|jse|wsf|ps1|msi|jar|hta|cpl|reg|zipx?|rar|7z|arj|ace|iso\.exe|apk|dmg)$",
    re.IGNORECASE,
)


def gate_failures(
    candidate: Candidate, *, wanted: Wanted, device: Device, size: FileSize, policy: Policy
) -> list[GateFailure]:
    """Return every gate that *candidate* fails, in a fixed order."""
    return [
        *identity_failures(candidate, wanted, policy),
        *_content_failures(candidate),
        *_device_failures(candidate, device),
        *_size_failures(size, device, policy),
        *_swarm_failures(candidate, policy),
        *_blocks(candidate),
    ]


def _content_failures(candidate: Candidate) -> Iterator[GateFailure]:
    traits = candidate.traits
    if traits.extra:
        yield GateFailure("SAMPLE_OR_EXTRA", "the name is that of a sample, trailer or extra")
    if ending := DANGEROUS.search(candidate.title.rstrip()):
        yield GateFailure("DANGEROUS_FILES", f"the name ends in {ending[0].lower()}, which is no video")
    if traits.source in STOLEN:
        yield GateFailure("BAD_SOURCE", f"the source is bad: {traits.source.value}")


def _device_failures(candidate: Candidate, device: Device) -> Iterator[GateFailure]:
    traits = candidate.traits
    if traits.codec is not Codec.UNSPECIFIED and traits.codec not in device.codecs:
        known = ", ".join(sorted(codec.value for codec in device.codecs)) or "nothing"
        yield GateFailure("CODEC_UNSUPPORTED", f"the picture is {traits.codec.value}, the device decodes {known}")
    if traits.hi10p and not device.hi10p:
        yield GateFailure("HI10P_UNSUPPORTED", "10-bit H.264 (Hi10P), which the device can't decode")
    if traits.dolby_vision and not traits.dolby_vision_fallback and not device.dolby_vision:
        yield GateFailure("DV_NO_FALLBACK", "Dolby Vision without an HDR10 layer, and the device has no Dolby Vision")
    if device.max_height and traits.height > device.max_height:
        yield GateFailure("RESOLUTION_ABOVE_CAP", f"{traits.height} lines, the device takes {device.max_height}")


def _size_failures(size: FileSize, device: Device, policy: Policy) -> Iterator[GateFailure]:
    if size.mb_per_minute is None or size.mbps is None:
        return
    low, high, factor = size.band.low, size.band.high, policy.size.implausible
    if size.mb_per_minute < low / factor or size.mb_per_minute > high * factor:
        usual = f"{low:g} to {high:g} MB per minute are usual for such a picture"
        yield GateFailure("SIZE_IMPLAUSIBLE", f"{size.mb_per_minute:.1f} MB per minute, {usual}")
    limit = device.max_bitrate / 1_000_000 * policy.gates.bitrate_tolerance
    if limit and size.mbps > limit:
        yield GateFailure("BITRATE_ABOVE_DEVICE", f"{size.mbps:.1f} Mbit/s, the device takes {limit:.1f}")


def _blocks(candidate: Candidate) -> Iterator[GateFailure]:
    if candidate.blocked:
        yield GateFailure("BLOCKLISTED", candidate.blocked)


def _swarm_failures(candidate: Candidate, policy: Policy) -> Iterator[GateFailure]:
    least = policy.gates.min_seeders
    if candidate.held or candidate.web_seeded or _was_seen(candidate, policy):
        return  # whatever indexers say
    if candidate.seeders is not None and candidate.seeders < least:
        seeders = "no seeder" if not candidate.seeders else f"only {candidate.seeders} of {least} seeders"
        yield GateFailure("DEAD_SWARM", f"{seeders} reported by {candidate.indexer or 'the indexer'}")


def _was_seen(candidate: Candidate, policy: Policy) -> bool:
    seen = candidate.observed
    return seen is not None and seen.bytes_per_second > 0 and seen.age <= policy.health.memory
