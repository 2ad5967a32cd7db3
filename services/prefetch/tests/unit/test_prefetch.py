"""Preparing the next episode: once, in order, and again when it did not work."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1.events_pb2 import EpisodeEnded

from vod_prefetch.domain import EpisodeKey, Following, Outcome, Pick, Profile, SessionId
from vod_prefetch.errors import NothingPlayable
from vod_prefetch.events import Listener
from vod_prefetch.prefetch import LOOKED_AT, Prefetch
from vod_rpc import DeadlineExceeded, Unavailable
from vod_runtime import Runtime
from vod_testing import eventually

NEXT = Following(
    session=SessionId("s1"),
    key=EpisodeKey("tmdb:tv:9001", 1, 2),
    profile=Profile(b""),
    profile_hash="p",
    subtitle_languages=("en",),
)
OTHER = Pick(infohash="bb", magnet_uri="magnet:?xt=urn:btih:bb", file_index=0, title="Harbor.Lights.S01E02.720p")
PICK = Pick(infohash="aa", magnet_uri="magnet:?xt=urn:btih:aa", file_index=3, title="Harbor.Lights.S01E02")


@dataclass
class World:
    """The neighbours, as the use case sees them; they note what is asked of them."""

    done: list[str] = field(default_factory=list)
    told: list[Outcome] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)
    bytes_come: bool = True
    pin_failure: Exception | None = None
    failure: Exception | None = None
    subtitles_failure: Exception | None = None
    subtitles_may_come: asyncio.Event = field(default_factory=asyncio.Event)
    bytes_may_come: asyncio.Event = field(default_factory=asyncio.Event)
    pick: Pick = PICK
    pinned: list[Pick] = field(default_factory=list)
    runs: bool = True
    """The session did not end."""
    held: bool = True
    """What was prepared lies ready on a node, as far as the list of all pins says."""

    def __post_init__(self) -> None:
        self.subtitles_may_come.set()
        self.bytes_may_come.set()

    async def ensure_pick(self) -> Pick:
        self.done.append("pick")
        if self.failure:
            raise self.failure
        return self.pick


class FakePicks:
    def __init__(self, world: World) -> None:
        self.world = world

    async def ensure(self, following: Following) -> Pick:
        return await self.world.ensure_pick()

    async def note_watched(self, key: EpisodeKey, *, profile_hash: str) -> None:
        self.world.done.append("watched")


class FakeStreamNode:
    def __init__(self, world: World) -> None:
        self.world = world

    async def pin_next(self, following: Following, pick: Pick, *, within: timedelta) -> bool:
        self.world.done.append("pin")
        self.world.pinned.append(pick)
        await self.world.bytes_may_come.wait()
        if self.world.pin_failure:
            raise self.world.pin_failure
        return self.world.bytes_come

    async def is_pinned(self, following: Following, pick: Pick) -> bool:
        self.world.done.append("look")
        if self.world.pin_failure:
            raise self.world.pin_failure
        return self.world.bytes_come and self.world.held

    async def let_go(self, following: Following, pick: Pick) -> None:
        self.world.pinned.remove(pick)

    async def session_is_over(self, following: Following) -> None:
        self.world.pinned.clear()


class FakeHeld:
    def __init__(self, world: World) -> None:
        self.world = world

    async def is_ready(self, session: SessionId) -> bool:
        return self.world.held


class FakeSubtitles:
    def __init__(self, world: World) -> None:
        self.world = world

    async def ensure(self, following: Following, pick: Pick) -> None:
        self.world.done.append("subtitles")
        await self.world.subtitles_may_come.wait()
        if self.world.subtitles_failure:
            raise self.world.subtitles_failure


class FakePlayback:
    def __init__(self, world: World) -> None:
        self.world = world

    async def tell(self, following: Following, outcome: Outcome) -> bool:
        self.world.told.append(outcome)
        return self.world.runs


class FakeMarks:
    def __init__(self, world: World) -> None:
        self.world = world

    async def take(self, mark: str, *, lasting: timedelta) -> bool:
        first = mark not in self.world.marks
        self.world.marks.add(mark)
        return first

    async def keep(self, mark: str, *, lasting: timedelta) -> None:
        self.world.marks.add(mark)

    async def give_back(self, mark: str) -> None:
        self.world.marks.discard(mark)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def prefetch(world: World, runtime: Runtime) -> Prefetch:
    counted: Callable[[str], None] = lambda _: None  # noqa: E731
    return Prefetch(
        picks=FakePicks(world),
        stream_node=FakeStreamNode(world),
        subtitles=FakeSubtitles(world),
        playback=FakePlayback(world),
        marks=FakeMarks(world),
        held=FakeHeld(world),
        runtime=runtime,
        within=timedelta(seconds=20),
        count=counted,
    )


async def test_a_prepared_episode_is_told_ready_and_prepared_once(world: World, prefetch: Prefetch) -> None:
    await asyncio.gather(*(prefetch.prepare(NEXT) for _ in range(5)))

    assert world.told == [Outcome.READY]
    assert world.done[0] == "pick"
    assert sorted(world.done[1:3]) == ["pin", "subtitles"]
    assert world.done[3:] == ["pick"]  # is it still the one?


async def test_a_source_chosen_while_the_subtitles_of_another_still_come_is_prepared_at_once(
    world: World, prefetch: Prefetch
) -> None:
    world.subtitles_may_come.clear()
    first = asyncio.ensure_future(prefetch.prepare(NEXT))
    await eventually(lambda: None if world.told else "nothing is prepared yet", within=30)

    second = asyncio.ensure_future(prefetch.prepare(NEXT))
    await eventually(lambda: None if len(world.told) == 2 else f"told {world.told}", within=30)
    world.subtitles_may_come.set()
    await asyncio.gather(first, second)

    assert world.done.count("pin") == 2


async def test_a_source_chosen_while_the_bytes_of_another_still_come_is_prepared_although_nobody_says_it_again(
    world: World, prefetch: Prefetch
) -> None:
    """The session has ended: no heartbeat follows."""
    world.bytes_may_come.clear()
    first = asyncio.ensure_future(prefetch.prepare(NEXT))
    await eventually(lambda: None if world.pinned else "nothing is pinned yet", within=30)

    world.pick = OTHER
    await prefetch.prepare(NEXT)
    before = list(world.pinned)
    world.bytes_may_come.set()
    await first

    assert before == [PICK]
    assert world.pinned == [OTHER]
    assert world.told == [Outcome.READY, Outcome.NOT_READY, Outcome.READY]
    assert not await FakeMarks(world).take(NEXT.looked, lasting=timedelta(seconds=1))
    assert await FakeMarks(world).take(NEXT.mark, lasting=timedelta(seconds=1))


async def test_what_was_prepared_first_is_given_up_although_somebody_else_prepares_what_was_chosen_instead(
    world: World, prefetch: Prefetch
) -> None:
    world.subtitles_may_come.clear()
    first = asyncio.ensure_future(prefetch.prepare(NEXT))
    await eventually(lambda: None if world.told else "nothing is prepared yet", within=30)

    world.pick = OTHER
    world.bytes_may_come.clear()
    second = asyncio.ensure_future(prefetch.prepare(NEXT))
    await eventually(lambda: None if OTHER in world.pinned else "not pinned yet", within=30)
    world.subtitles_may_come.set()
    await first
    held = list(world.pinned)
    world.bytes_may_come.set()
    await second

    assert held == [OTHER]
    assert world.pinned == [OTHER]
    assert world.told == [Outcome.READY, Outcome.READY]


async def test_what_is_ready_is_looked_at_now_and_then_and_more_often_when_it_begins_soon(
    world: World, prefetch: Prefetch
) -> None:
    ready, near = replace(NEXT, ready=True), replace(NEXT, ready=True, is_near=True)
    await prefetch.prepare(NEXT)
    for _ in range(3):
        await prefetch.prepare(ready)
    assert world.told == [Outcome.READY]

    for _ in range(3):
        await prefetch.prepare(near)

    assert world.told == [Outcome.READY, Outcome.READY]
    assert LOOKED_AT[True] < LOOKED_AT[False]


async def test_what_no_node_has_any_more_is_told_not_ready_and_prepared_anew_at_once(
    world: World, prefetch: Prefetch
) -> None:
    ready = replace(NEXT, ready=True)
    await prefetch.prepare(NEXT)
    await prefetch.prepare(ready)
    world.held = False

    await prefetch.prepare(ready)

    assert world.told == [Outcome.READY, Outcome.NOT_READY, Outcome.READY]
    assert world.done.count("pin") == 2


async def test_a_look_at_what_is_still_there_takes_nothing_back(world: World, prefetch: Prefetch) -> None:
    await prefetch.prepare(NEXT)

    await prefetch.prepare(replace(NEXT, ready=True, is_near=True))

    assert world.told == [Outcome.READY, Outcome.READY]
    assert world.done.count("pin") == 1


async def test_what_is_gone_and_can_not_be_prepared_now_is_told_not_ready(world: World, prefetch: Prefetch) -> None:
    await prefetch.prepare(NEXT)
    world.held, world.failure = False, Unavailable("picks is away")

    with pytest.raises(Unavailable):
        await prefetch.prepare(replace(NEXT, ready=True))

    assert world.told == [Outcome.READY, Outcome.NOT_READY]


async def test_what_is_not_ready_any_more_is_prepared_again_at_once(world: World, prefetch: Prefetch) -> None:
    await prefetch.prepare(NEXT)
    await prefetch.prepare(replace(NEXT, ready=True))

    await prefetch.prepare(NEXT)

    assert world.told == [Outcome.READY, Outcome.READY]


async def test_an_episode_whose_bytes_did_not_come_is_tried_again(world: World, prefetch: Prefetch) -> None:
    world.bytes_come = False
    await prefetch.prepare(NEXT)
    world.bytes_come = True
    await prefetch.prepare(NEXT)

    assert world.told == [Outcome.NOT_READY, Outcome.READY]


async def test_a_neighbours_failure_is_raised_and_the_next_call_tries_again(world: World, prefetch: Prefetch) -> None:
    world.failure = Unavailable("not now")
    with pytest.raises(Unavailable):
        await prefetch.prepare(NEXT)
    world.failure = None
    await prefetch.prepare(NEXT)

    assert world.told == [Outcome.READY]


async def test_a_pin_that_fails_is_raised_as_what_it_is(world: World, prefetch: Prefetch) -> None:
    world.pin_failure = Unavailable("no room")

    with pytest.raises(Unavailable):
        await prefetch.prepare(NEXT)


async def test_when_nothing_can_be_played_it_is_told_and_not_searched_with_every_heartbeat(
    world: World, prefetch: Prefetch
) -> None:
    world.failure = NothingPlayable("S01E02")
    for _ in range(3):
        await prefetch.prepare(NEXT)

    assert world.told == [Outcome.NOTHING_PLAYABLE]
    assert world.done == ["pick"]


async def test_an_episode_gets_ready_without_its_subtitles(world: World, prefetch: Prefetch) -> None:
    world.subtitles_failure = Unavailable("quota")

    await prefetch.prepare(NEXT)

    assert world.told == [Outcome.READY]


@pytest.mark.parametrize("runs", [True, False])
async def test_what_is_prepared_is_held_as_long_as_the_session_runs(
    world: World, prefetch: Prefetch, runs: bool
) -> None:
    world.runs = runs

    await prefetch.prepare(NEXT)

    assert (world.told, world.pinned) == ([Outcome.READY], [PICK] if runs else [])


async def test_a_look_at_what_is_prepared_that_failed_is_repeated_with_the_next_heartbeat(
    world: World, prefetch: Prefetch
) -> None:
    await prefetch.prepare(NEXT)
    again = replace(NEXT, ready=True, is_near=True)
    world.pin_failure = Unavailable("the node was just killed")
    with pytest.raises(Unavailable):
        await prefetch.prepare(again)
    world.pin_failure = None

    await prefetch.prepare(again)

    assert world.told == [Outcome.READY, Outcome.NOT_READY, Outcome.READY]


@pytest.mark.parametrize(
    ("failure", "done"),
    [(DeadlineExceeded("silent", reason="SWARM_SILENT"), ["pick", "watched"]), (Unavailable("away"), ["pick"])],
    ids=["for good", "for now"],
)
async def test_an_end_is_heard_again_only_if_what_comes_next_could_not_be_prepared_for_now(
    world: World, prefetch: Prefetch, failure: Exception, done: list[str]
) -> None:
    world.failure = failure
    key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2)
    seconds = Duration(seconds=100)
    with suppress(Unavailable):
        await Listener(prefetch).on_ended(EpisodeEnded(session_id="s1", next=key, position=seconds, duration=seconds))

    assert world.done == done
