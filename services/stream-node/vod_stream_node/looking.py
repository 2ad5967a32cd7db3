"""What a pin looks like from outside: how far its file has come, and what its viewers have of the swarm."""

from collections import defaultdict
from collections.abc import Mapping

from vod_stream_node.domain import (
    Claim,
    Infohash,
    PinKey,
    PinState,
    PinStatus,
    Purpose,
    TorrentFile,
    TorrentState,
    Viewing,
)
from vod_stream_node.torrent import Torrent


async def look(torrent: Torrent, key: PinKey, claims: Mapping[str, Claim], *, stalls: int) -> PinStatus:
    """Return a pin as it is now."""
    file = torrent.layout.files[key.file_index] if torrent.layout else None
    stats = await torrent.traffic.stats()
    return PinStatus(
        key=key,
        state=state_of(torrent, file),
        file=file,
        downloaded_bytes=torrent.downloaded(file) if file else 0,
        stats=stats,
        viewing=viewing(torrent, file, stalls=stalls),
        claims=dict(claims),
    )


def state_of(torrent: Torrent, file: TorrentFile | None) -> PinState:
    """Return how far a file has come."""
    if file is None:
        return PinState.CONNECTING
    if not torrent.missing(file.index):
        return PinState.COMPLETE
    return PinState.READY if torrent.has_ends(file) else PinState.BUFFERING


def viewing(torrent: Torrent, file: TorrentFile | None, *, stalls: int) -> Viewing:
    """Return what a file's viewers have; of several, the one who has the least decides."""
    if file is None:
        return Viewing(readers=0, buffered_bytes=0, media_rate=None, window_pieces=0, stalls=stalls)
    places = torrent.read_at(file.index)
    return Viewing(
        readers=len(places),
        buffered_bytes=min((_ahead(torrent, file, place) for place in places), default=0),
        media_rate=torrent.audience.read_aheads.rate(file.index),
        window_pieces=torrent.window,
        stalls=stalls,
    )


def _ahead(torrent: Torrent, file: TorrentFile, piece: int) -> int:
    """Return the bytes of a file that are here from a piece on, without a gap."""
    layout, ahead = torrent.known_layout, 0
    for here in range(piece, layout.pieces(file).stop):
        if here not in torrent.have:
            break
        ahead += layout.bytes_in(file, here)
    return ahead


def is_here(torrent: Torrent, key: PinKey) -> bool:
    """Say whether a file is here as a whole, so that nothing is needed of any swarm."""
    if torrent.layout is None or torrent.is_broken or not 0 <= key.file_index < len(torrent.layout.files):
        return False
    return not torrent.missing(key.file_index)


def may_reload(torrent: Torrent) -> bool:
    """Say whether a torrent can leave the session for a moment: all files that somebody reads lie on disk."""
    if torrent.state is not TorrentState.ACTIVE:
        return False
    read = [file for file in torrent.known_layout.files if torrent.is_read(file.index)]
    return all(piece in torrent.flushed for file in read for piece in torrent.known_layout.pieces(file))


def wanted(pins: Mapping[PinKey, Mapping[str, Claim]]) -> Mapping[Infohash, Mapping[int, Purpose]]:
    """Return which files of which torrents are wanted, and for what."""
    wants: defaultdict[Infohash, dict[int, Purpose]] = defaultdict(dict)
    for key, claims in pins.items():
        if claims:
            current = any(claim.purpose is Purpose.CURRENT for claim in claims.values())
            wants[key.infohash][key.file_index] = Purpose.CURRENT if current else Purpose.NEXT
    return wants
