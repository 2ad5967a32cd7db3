"""What a pin waits for before it is told."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from vod_stream_node.domain import Layout, PinRequest, WaitFor
from vod_stream_node.errors import SwarmSilent
from vod_stream_node.torrent import Torrent

_COUNTED_SECONDS = 2.0
"""Resume data is believed within milliseconds; files that have to be hashed take as long as they take."""


async def waited(torrent: Torrent, request: PinRequest, within: timedelta) -> None:
    """Wait for what was asked, and until it is known what of a torrent that was just loaded is here.

    Raises:
        SwarmSilent: no metadata in time, and it was waited for.
        FileIndexOutOfRange, FileNotPlayable: of a file that can't be streamed.
        TorrentRefused, StorageFailed
    """
    end = asyncio.get_running_loop().time() + within.total_seconds()
    if request.wait_for is WaitFor.NOTHING:
        torrent.check()
    else:
        await metadata(torrent, within)
    if torrent.layout is None:
        return
    file = torrent.layout.playable(request.key.file_index)
    with suppress(TimeoutError):  # how far it came is in the answer
        async with asyncio.timeout_at(end):
            if request.wait_for is WaitFor.ENDS:
                await torrent.first_and_last_bytes(file)
            else:
                async with asyncio.timeout(_COUNTED_SECONDS):
                    await torrent.counted()


async def metadata(torrent: Torrent, within: timedelta) -> Layout:
    """Wait until the swarm has told what is in a torrent.

    Raises:
        SwarmSilent: it did not in time.
    """
    torrent.expect()  # who asks what is in it mostly wants bytes of it next
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await torrent.metadata()
    except TimeoutError:
        raise SwarmSilent(
            "No peer told in time what is in the torrent.", metadata={"infohash": torrent.infohash}
        ) from None
