"""The end of libtorrent's session, which waits for the disk without bound where it is destroyed."""

import asyncio
import gc
import sys
import weakref
from pathlib import Path
from typing import Any

import libtorrent as lt

from vod_runtime import Runtime
from vod_stream_node.farewell import Farewell
from vod_stream_node.magnets import Reach
from vod_stream_node.session import SessionConfig, new_session
from vod_testing import eventually

# A node that ends without having heard that the disk is done with what it gave up.
STUCK = f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_farewell import one_torrent
from vod_runtime.host import new_runtime
from vod_stream_node.farewell import Farewell

async def main():
    session, handle = one_torrent(sys.argv[1])
    farewell = Farewell(session, log=new_runtime("stream-node").log)
    farewell.remove(handle)
    await farewell.end()
    assert session.is_listening(), "its threads run"

asyncio.run(main())
"""


def one_torrent(folder: str) -> tuple[Any, Any]:
    """A session with one torrent in it."""
    session = new_session(SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE), waker=-1)
    info = {b"name": b"film.mkv", b"length": 3 << 20, b"piece length": 1 << 20, b"pieces": bytes(60)}
    params = lt.load_torrent_buffer(lt.bencode({b"info": info}))
    params.save_path = folder
    return session, session.add_torrent(params)


async def test_a_session_is_destroyed_once_the_disk_is_done_with_what_was_in_it(
    tmp_path: Path, runtime: Runtime
) -> None:
    session, handle = one_torrent(str(tmp_path))
    farewell, ended = Farewell(session, log=runtime.log), weakref.ref(session)
    farewell.remove(handle)
    waiting = asyncio.create_task(farewell.disk_done())

    def why_not_yet() -> str | None:
        for alert in ended().pop_alerts():
            farewell.on_alert(alert)
        return None if waiting.done() else "it is not done"

    await eventually(why_not_yet, within=30)
    del session, handle
    await farewell.end()
    gc.collect()

    assert ended() is None


async def test_a_session_whose_disk_is_never_done_does_not_hold_up_the_end_of_the_process(tmp_path: Path) -> None:
    node = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STUCK, str(tmp_path), stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(90):
        _, said = await node.communicate()

    assert (node.returncode, b"session_stuck" in said) == (0, True), said
