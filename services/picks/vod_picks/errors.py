"""What can go wrong here, one class per reason."""

import json
from collections.abc import Iterable, Sequence
from textwrap import shorten

from vod_picks.domain import Candidate, EpisodeKey, Reason, Refusal
from vod_rpc import FailedPrecondition, NotFound

_MAX_LISTED = 20
_MAX_BYTES = 3_500
"""gRPC refuses trailers from 8 KiB on, and these details travel in one."""
_MAX_TEXT = 160


class NoPlayableRelease(NotFound):
    """Every release that was found was refused by scoring or by its own swarm, or none was found."""

    reason = "NO_PLAYABLE_RELEASE"

    def __init__(
        self,
        key: EpisodeKey,
        *,
        refused: Sequence[Refusal],
        unavailable: Sequence[tuple[str, str]],
        candidates: Sequence[Candidate] = (),
    ) -> None:
        super().__init__(
            f"No release of {key} can be played." if refused else f"No release of {key} was found.",
            metadata={
                "series_id": key.series_id,
                "season": str(key.season),
                "episode": str(key.episode),
                "refused_count": str(len(refused)),
                "refused": _fitting(map(_listed, refused), _MAX_BYTES),
                "unavailable": _fitting(({"indexer": i, "reason": r[:_MAX_TEXT]} for i, r in unavailable), 1_000),
            },
        )
        self.candidates = candidates
        """What was refused, in order, with what the swarms showed: for people who look later."""


class PickUnknown(NotFound):
    """There never was a pick with this id."""

    reason = "PICK_UNKNOWN"


class CandidateUnknown(NotFound):
    """The release is not among those that were found for the episode."""

    reason = "CANDIDATE_UNKNOWN"


class CandidateRefused(FailedPrecondition):
    """Scoring refused it, or what its swarm offers is not the episode; `reasons` in the metadata says why."""

    reason = "CANDIDATE_REFUSED"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            f"This release can't be played: {refusal.reasons[0].text}",
            metadata={"infohash": refusal.release.infohash, "reasons": _compact(_texts(refusal.reasons))},
        )


class SwarmSilent(Exception):  # noqa: N818  it never leaves this service
    """Nobody in the swarm told in time what is in the torrent."""


class NodeLate(SwarmSilent):
    """The stream node itself did not answer in time, which says nothing about the swarm."""


class SwarmHostile(Exception):  # noqa: N818  it never leaves this service
    """The stream node refuses the torrent: it is made to hurt, or it is no torrent."""


def _listed(refusal: Refusal) -> dict[str, object]:
    release = refusal.release
    return {"title": release.title[:_MAX_TEXT], "infohash": release.infohash, "reasons": _texts(refusal.reasons)}


def _texts(reasons: Iterable[Reason]) -> list[str]:
    return [shorten(f"{reason.code}: {reason.text}", _MAX_TEXT, placeholder=" …") for reason in reasons]


def _fitting(entries: Iterable[dict[str, object]], max_bytes: int) -> str:
    """Return a JSON list of the first entries that fit."""
    kept: list[dict[str, object]] = []
    size = 2
    for entry in entries:
        size += len(_compact(entry)) + 1
        if size > max_bytes or len(kept) == _MAX_LISTED:
            break
        kept.append(entry)
    return _compact(kept)


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
