"""Pins that were lost are made anew, and none is left behind."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vod_playback.domain import DeviceProfile, EpisodeKey, Pin, Session, Source, State
from vod_playback.holding import Holding
from vod_playback.keeping import Claim, Keeping
from vod_rpc import Unavailable
from vod_runtime import Runtime

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PLAYED = Source(infohash="a" * 40, file_index=0, magnet_uri="magnet:?", pick={})
OTHER = replace(PLAYED, infohash="b" * 40)
SESSION = Session(
    id="s1",
    device_id="tv",
    request_id=None,
    subject_id="tv",
    key=EpisodeKey("tmdb:tv:9001", 1, 1),
    profile=DeviceProfile(),
    profile_hash="p",
    source=PLAYED,
    next=None,
    subtitle_languages=(),
    duration=timedelta(),
    started_at=NOW,
    heartbeat_at=NOW,
)


@dataclass
class World:
    """The store and the stream node, as far as this needs them."""

    unheld_sessions: list[Session]
    now: Session | None = None
    """What became of the session while its file was pinned."""
    held: list[str] = field(default_factory=list)
    refuses: str = ""

    async def current(self) -> Collection[Claim]:
        return []

    async def unheld(self, held: Collection[Claim]) -> Sequence[Session]:
        return self.unheld_sessions

    async def over(self, session_ids: Collection[str]) -> Sequence[str]:
        return []

    async def session(self, session_id: str) -> Session | None:
        return self.now or next(one for one in self.unheld_sessions if one.id == session_id)

    async def hold(self, source: Source, *, holder: str, lasting: timedelta) -> Pin:
        if holder == self.refuses:
            raise Unavailable("no node has room")
        self.held.append(holder)
        return Pin("http://node/1")

    async def release(self, source: Source, *, holder: str, successor: str) -> None:
        self.held.remove(holder)


def keeping(world: Any, runtime: Runtime) -> Keeping:
    return Keeping(world, world, holding=Holding(world, streams=world, log=runtime.log), log=runtime.log)


@pytest.mark.parametrize(
    ("now", "held"),
    [
        (SESSION, ["s1"]),
        (replace(SESSION, state=State.ENDED), []),
        (replace(SESSION, source=OTHER), []),
    ],
)
async def test_what_ended_or_was_switched_while_it_was_pinned_is_given_up_again(
    runtime: Runtime, now: Session, held: list[str]
) -> None:
    world = World([SESSION], now=now)

    await keeping(world, runtime).look()

    assert held == world.held


async def test_one_that_can_not_be_pinned_keeps_no_other_from_it(runtime: Runtime) -> None:
    world = World([SESSION, replace(SESSION, id="s2")], refuses="s1")

    await keeping(world, runtime).look()

    assert world.held == ["s2"]
