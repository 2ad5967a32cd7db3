"""On which node a torrent belongs: rendezvous hashing with bounded loads; pure.

Every node computes the same place from the same members. A node that leaves moves its own torrents only, and no node
gets more than a quarter above the average, however the hashes fall.
"""

import hashlib
import math
from collections.abc import Collection
from dataclasses import dataclass

from vod_stream_node.domain import Infohash

_BOUND = 1.25


@dataclass(frozen=True, slots=True)
class Member:
    """A stream node, as it tells the others about itself."""

    name: str
    """Stable over restarts; stands in stream URLs."""
    target: str
    """Where the others reach its RPCs."""
    public_base: str
    """What players reach its streams at; with an edge that is the same for all."""
    peer: str
    """`host:port` at which it answers as a BitTorrent peer."""
    load: int = 0
    """Torrents that are pinned or read there."""
    draining: bool = False
    full: bool = False
    """Its disk takes nothing more."""


def place(infohash: Infohash, members: Collection[Member]) -> Member | None:
    """Return the member a torrent belongs on; None if there is none that stays. A full one only if all are."""
    staying = [member for member in members if not member.draining]
    staying = [member for member in staying if not member.full] or staying
    if not staying:
        return None
    limit = math.ceil(_BOUND * (sum(member.load for member in staying) + 1) / len(staying))
    # At least the least loaded one is below the limit.
    return max((member for member in staying if member.load < limit), key=lambda member: _weight(member, infohash))


def _weight(member: Member, infohash: Infohash) -> bytes:
    return hashlib.blake2b(f"{member.name}/{infohash}".encode(), digest_size=8).digest()
