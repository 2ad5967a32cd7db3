"""Reviews: does a pick of yesterday still deserve its place? It stays unless it is dead, or beaten by a margin.

A pick is a promise: the viewer's subtitles, position and downloaded bytes belong to it. So it is not replaced by the
next release that is a little better, and never while it is fresh. When it is asked for and is old, it is answered as
it is, and looked at in the background: all releases are ranked anew, the pick among them. One that beats it by the
margin, or takes the place of a dead one, has to prove itself in a race, and serves the next viewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from vod_picks.domain import Candidate, Tier

REVIEW_AFTER = timedelta(hours=6)
"""So long swarms are remembered: until then a ranking would say much the same."""
MARGIN = 0.08
"""Points of 1 by which a challenger has to be better. It is more than health changes within an evening (a swarm with
enough seeders that loses a third of them loses less), and less than the next better picture (720p to 1080p: about
0.09 on a device that shows both)."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Who may take a pick's place, and why, for people."""

    candidate: Candidate
    because: str


def challenge(ranked: Sequence[Candidate], *, infohash: str) -> Challenge | None:
    """Return the challenger of the pick with an infohash among *ranked*, best first; None if the pick stays."""
    pick = next((one for one in ranked if one.release.infohash == infohash), None)
    best = next((one for one in ranked if one.ranking.tier is not Tier.REFUSED), None)
    if pick is None or best is None or best is pick:
        return None
    if pick.ranking.tier is Tier.REFUSED:
        return Challenge(best, f"not playable any more: {pick.ranking.gates[0].text}")
    if pick.ranking.tier is Tier.LAST_RESORT and best.ranking.tier is not Tier.LAST_RESORT:
        return Challenge(best, f"only a last resort by now: {pick.ranking.gates[0].text}")
    gap = best.score - pick.score
    if gap > MARGIN:
        return Challenge(best, f"beaten by {gap * 100:.1f} points of 100")
    return None
