"""Who holds back the next episode, and who does not."""

from dataclasses import dataclass, field

import pytest

from vod_stream_node.domain import Infohash
from vod_stream_node.errors import TorrentGone
from vod_stream_node.picker import NextFill
from vod_stream_node.sharing import Sharing

ONE, TWO = Infohash("1" * 40), Infohash("2" * 40)
STOPPED, HELD, ALLOWED = NextFill.STOPPED, NextFill.HELD, NextFill.ALLOWED


@dataclass(slots=True)
class Swarm:
    """Stands where a torrent would: says how it is with it, and keeps what it is told. Is its own traffic."""

    infohash: Infohash
    lacks_current: bool = False
    starving: bool = False
    size: int = 0
    gone: bool = False
    told: list[NextFill] = field(default_factory=list)

    @property
    def traffic(self) -> "Swarm":
        return self

    async def received(self) -> int:
        if self.gone:
            raise TorrentGone("gone")
        return self.size

    def fill_next(self, fill: NextFill) -> None:
        self.told.append(fill)


def sharing(*torrents: Swarm, short_of_room: bool = False) -> Sharing:
    return Sharing({one.infohash: one for one in torrents}, short_of_room=lambda: short_of_room)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("lacks", "starving", "short_of_room", "left"),
    [
        (False, False, False, ALLOWED),
        (False, False, True, HELD),
        (True, False, False, HELD),
        (True, True, False, STOPPED),
        (True, True, True, STOPPED),
    ],
)
def test_every_torrent_hears_what_the_neediest_viewer_of_the_node_leaves_over(
    lacks: bool, starving: bool, short_of_room: bool, left: NextFill
) -> None:
    needy, other = Swarm(ONE, lacks_current=lacks, starving=starving), Swarm(TWO)

    sharing(needy, other, short_of_room=short_of_room).apply()

    assert (needy.told, other.told) == ([left], [left])


async def test_a_swarm_that_gives_nothing_holds_back_nobody_until_it_gives_again() -> None:
    dead = Swarm(ONE, lacks_current=True, starving=True)
    shared = sharing(dead)
    for now in (0.0, 4.9, 5.0):
        await shared.look(now)
        shared.apply()
    dead.size = 16_384
    await shared.look(6.0)
    shared.apply()

    assert dead.told == [STOPPED, STOPPED, ALLOWED, STOPPED]


async def test_a_swarm_that_gives_little_is_not_silent() -> None:
    slow = Swarm(ONE, lacks_current=True, starving=True)
    shared = sharing(slow)
    for now in range(0, 40, 4):
        slow.size += 1
        await shared.look(float(now))
        shared.apply()

    assert slow.told == [STOPPED] * 10


async def test_what_a_swarm_gave_long_ago_says_nothing_of_today() -> None:
    """Nothing was asked of it meanwhile."""
    swarm = Swarm(ONE, lacks_current=True, starving=True)
    shared = sharing(swarm)
    await shared.look(0.0)
    swarm.lacks_current = False
    await shared.look(40.0)
    swarm.lacks_current = True
    for now in (50.0, 51.0):
        await shared.look(now)
        shared.apply()

    assert swarm.told == [STOPPED, STOPPED]


async def test_a_torrent_that_leaves_while_it_is_asked_disturbs_nobody() -> None:
    leaving, staying = Swarm(ONE, lacks_current=True, gone=True), Swarm(TWO, lacks_current=True)
    shared = sharing(leaving, staying)
    for now in (0.0, 6.0):
        await shared.look(now)
    leaving.lacks_current = False
    shared.apply()

    assert staying.told == [ALLOWED]
