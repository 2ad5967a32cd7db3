"""Views of sessions: what a listener hears waits for no stream node."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from vod_playback.domain import DeviceProfile, EpisodeKey, Session, Source
from vod_playback.live import Swarm, View, knowledge, live
from vod_runtime import Runtime

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SESSION = Session(
    id="s1",
    device_id="tv",
    request_id=None,
    subject_id="tv",
    key=EpisodeKey("tmdb:tv:9001", 1, 1),
    profile=DeviceProfile(h264=True),
    profile_hash="f" * 16,
    source=Source(infohash="a" * 40, file_index=0, magnet_uri="", pick={}),
    next=None,
    subtitle_languages=(),
    duration=timedelta(minutes=40),
    started_at=NOON,
    heartbeat_at=NOON,
)


class Sessions:
    """One session, as a test changes it."""

    def __init__(self) -> None:
        self.one = SESSION

    async def many(self, session_ids: Sequence[str]) -> Sequence[Session]:
        return [self.one] if self.one.id in session_ids else []


class Silent:
    """A stream node that takes the question and never answers it."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def current(self) -> Mapping[tuple[str, str, int], Swarm]:
        self.asked.set()
        return await asyncio.get_running_loop().create_future()


async def test_a_switch_is_heard_while_a_stream_node_keeps_its_answer_back(
    make_runtime: Callable[[str], Runtime],
) -> None:
    sessions, node, runtime = Sessions(), Silent(), make_runtime("playback")
    known = knowledge(View(SESSION).digests())
    async with asyncio.timeout(60), live(sessions, node, clock=runtime.clock, log=runtime.log) as views:
        waiting = asyncio.ensure_future(views.wait("s1", known=known, within=timedelta(minutes=5)))
        await node.asked.wait()

        sessions.one = replace(SESSION, switches=1, source=replace(SESSION.source, infohash="c" * 40))
        views.changed("s1")

        assert (await waiting).session.source.infohash == "c" * 40
