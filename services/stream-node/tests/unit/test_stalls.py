"""Stalls: told once per stall and file, again while it lasts, and not for who only jumps about."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from prometheus_client import CollectorRegistry

from vod_runtime import background
from vod_stream_node.domain import Infohash, PinKey, Stats
from vod_stream_node.errors import TorrentGone
from vod_stream_node.metrics import Metrics
from vod_stream_node.stalls import Crowd, Lag, Reason, Stall, Stalls
from vod_testing import eventually

KEY = PinKey(Infohash("a" * 40), 3)


@dataclass
class Scene:
    """A node whose clock is turned by hand."""

    seconds: float = 100.0
    stats: Stats = field(default_factory=lambda: Stats(peers=0, download_rate=0))
    holders: tuple[str, ...] = ("session-1",)
    told: list[Stall] = field(default_factory=list)
    deaf: bool = False
    away: bool = False
    """The torrent is just leaving the session, to come back."""
    asked: bool = False
    """Somebody looked at the clock."""

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        self.stalls = Stalls(
            self._look,
            self._tell,
            after=timedelta(seconds=8),
            clock=self,
            metrics=Metrics(self.registry),
            log=structlog.get_logger(),
        )

    def now(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        self.asked = True
        return self.seconds

    async def _look(self, key: PinKey) -> Crowd | None:
        if self.away:
            raise TorrentGone("The torrent has left this node.")
        return (self.stats, self.holders) if self.holders else None

    async def _tell(self, stall: Stall) -> None:
        self.told.append(stall)
        if self.deaf:
            raise ConnectionError("nobody listens")

    async def after(self, seconds: float) -> int:
        """Turn the clock, look, and return how many tellings there were."""
        self.seconds += seconds
        before = len(self.told)
        await self.stalls.look_over()
        return len(self.told) - before


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_wait_is_told_when_it_is_long_enough_and_again_while_it_lasts(scene: Scene) -> None:
    with scene.stalls.waiting(KEY, Lag()):
        tellings = [await scene.after(seconds) for seconds in (7.9, 0.1, 4, 3.9, 0.1, 8)]

    assert tellings == [0, 1, 0, 0, 1, 1]
    assert [stall.telling for stall in scene.told] == [1, 2, 3]
    assert {scene.told[0].at} == {stall.at for stall in scene.told}
    assert [(stall.told_at - stall.at).seconds for stall in scene.told] == [0, 8, 16]
    assert [stall.waited.seconds for stall in scene.told] == [8, 16, 24]
    assert scene.stalls.count(KEY) == 1
    assert scene.registry.get_sample_value("buffer_events_total") == 1


async def test_several_viewers_of_a_file_are_one_stall(scene: Scene) -> None:
    with scene.stalls.waiting(KEY, Lag()), scene.stalls.waiting(KEY, Lag()):
        assert await scene.after(8) == 1


async def test_a_second_stall_is_told_as_a_new_one(scene: Scene) -> None:
    for _ in range(2):
        with scene.stalls.waiting(KEY, Lag()):
            assert await scene.after(9) == 1
        assert await scene.after(1) == 0

    assert [stall.telling for stall in scene.told] == [1, 1]
    assert scene.stalls.count(KEY) == 2


async def test_bytes_that_come_in_time_are_no_stall(scene: Scene) -> None:
    for _ in range(5):
        with scene.stalls.waiting(KEY, Lag()):
            assert await scene.after(6) == 0


@pytest.mark.parametrize(
    ("each", "stalls"),
    [(7.0, True), (1.3, True), (1.0, False), (0.5, False)],
    ids=["a seventh of it", "a little less than it", "just it", "twice it"],
)
async def test_a_swarm_that_gives_less_than_a_film_plays_at_stalls_in_the_end(
    scene: Scene, each: float, stalls: bool
) -> None:
    lag = Lag()
    for _ in range(60):
        with scene.stalls.waiting(KEY, lag):
            await scene.after(each)
        lag.came(1_000_000, rate=1_000_000.0)

    assert bool(scene.told) == stalls


async def test_where_nobody_knows_how_fast_it_plays_only_one_long_wait_is_a_stall(scene: Scene) -> None:
    lag = Lag()
    for _ in range(60):
        with scene.stalls.waiting(KEY, lag):
            assert await scene.after(7) == 0
        lag.came(1_000_000, rate=None)


async def test_a_player_that_gives_up_and_asks_again_is_still_waiting(scene: Scene) -> None:
    for _ in range(2):
        with suppress(ConnectionError), scene.stalls.waiting(KEY, Lag()):
            assert await scene.after(3) == 0
            raise ConnectionError
    with scene.stalls.waiting(KEY, Lag()):
        assert await scene.after(3) == 1


async def test_a_player_that_comes_back_much_later_begins_anew(scene: Scene) -> None:
    with suppress(ConnectionError), scene.stalls.waiting(KEY, Lag()):
        await scene.after(7)
        raise ConnectionError
    await scene.after(60)
    with scene.stalls.waiting(KEY, Lag()):
        assert await scene.after(7) == 0


async def test_a_file_that_nobody_watches_has_no_stall(scene: Scene) -> None:
    scene.holders = ()
    with scene.stalls.waiting(KEY, Lag()):
        assert await scene.after(20) == 0


@pytest.mark.parametrize(
    ("stats", "reason"),
    [
        (Stats(peers=0, download_rate=0), Reason.NO_PEERS),
        (Stats(peers=3, download_rate=0), Reason.NO_BYTES),
        (Stats(peers=3, download_rate=50_000), Reason.TOO_SLOW),
    ],
)
async def test_the_reason_is_told(scene: Scene, stats: Stats, reason: Reason) -> None:
    scene.stats = stats
    with scene.stalls.waiting(KEY, Lag()):
        await scene.after(8)

    assert reason is scene.told[0].reason


async def test_nobody_who_listens_is_no_reason_to_stop(scene: Scene) -> None:
    scene.deaf = True
    with scene.stalls.waiting(KEY, Lag()):
        assert [await scene.after(8), await scene.after(8)] == [1, 1]


async def test_a_torrent_that_leaves_while_it_is_looked_at_is_told_when_it_is_back(scene: Scene) -> None:
    scene.away = True
    with scene.stalls.waiting(KEY, Lag()):
        away = await scene.after(8)
        scene.away = False
        back = await scene.after(1)

    assert (away, back) == (0, 1)


async def test_while_the_node_itself_stood_still_nobody_waited_for_a_swarm(scene: Scene) -> None:
    lag = Lag()
    async with background(scene.stalls.run()):
        await eventually(lambda: None if scene.asked else "nobody looks at the clock", within=30)
        with scene.stalls.waiting(KEY, lag):
            assert await scene.after(12) == 0

    assert lag.seconds < 2
