"""How long a torrent that nobody needs stays in the swarm."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from vod_stream_node.domain import Stats
from vod_stream_node.errors import TorrentGone
from vod_stream_node.seeding import SeedPolicy

HOUR = timedelta(hours=1)
NO_RATIO = 0.0


@dataclass(slots=True)
class Swarm:
    """Stands where a torrent would; is its own traffic."""

    have: frozenset[int] = frozenset({1})
    given: int = 0
    taken: int = 100

    @property
    def traffic(self) -> "Swarm":
        return self

    async def stats(self) -> Stats:
        return Stats(peers=1, download_rate=0, given=self.given, taken=self.taken)


@pytest.mark.parametrize(
    ("policy", "swarm", "idle", "goes_on"),
    [
        (SeedPolicy(time=timedelta(0), ratio=NO_RATIO), Swarm(), timedelta(0), False),
        (SeedPolicy(time=HOUR, ratio=NO_RATIO), Swarm(given=10_000), HOUR / 2, True),
        (SeedPolicy(time=HOUR, ratio=NO_RATIO), Swarm(), HOUR, False),
        (SeedPolicy(time=HOUR, ratio=1.5), Swarm(given=149), HOUR / 2, True),
        (SeedPolicy(time=HOUR, ratio=1.5), Swarm(given=150), HOUR / 2, False),
        (SeedPolicy(time=HOUR, ratio=1.5), Swarm(given=149), HOUR, False),
        (SeedPolicy(time=HOUR, ratio=1.5), Swarm(have=frozenset()), HOUR / 2, False),
    ],
)
async def test_a_torrent_is_given_until_the_ratio_or_the_time_is_reached(
    policy: SeedPolicy, swarm: Swarm, idle: timedelta, goes_on: bool
) -> None:
    assert await policy.goes_on(swarm, idle) == goes_on  # type: ignore[arg-type]


class Leaving(Swarm):
    """Leaves the session while it is asked."""

    async def stats(self) -> Stats:
        raise TorrentGone("The torrent has left this node.")


async def test_one_that_leaves_meanwhile_is_looked_at_again() -> None:
    assert await SeedPolicy(time=HOUR, ratio=1.5).goes_on(Leaving(), HOUR / 2)  # type: ignore[arg-type]
