from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import Infohash
from vod_stream_node.janitor import evictions
from vod_stream_node.store import Stored

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TTL = timedelta(hours=72)
NO_LIMIT = 0


def stored(name: str, *, size: int = 10, hours_ago: float = 1) -> Stored:
    return Stored(Infohash(name), size=size, used_at=NOW - timedelta(hours=hours_ago))


def test_what_was_not_used_for_long_goes() -> None:
    torrents = [stored("old", hours_ago=73), stored("new", hours_ago=71)]

    assert evictions(torrents, kept=[], now=NOW, ttl=TTL, budget=NO_LIMIT) == ["old"]


def test_beyond_the_budget_the_longest_unused_go_until_the_rest_fits() -> None:
    torrents = [stored("c", hours_ago=1), stored("a", hours_ago=3), stored("b", hours_ago=2)]

    assert evictions(torrents, kept=[], now=NOW, ttl=TTL, budget=20) == ["a"]
    assert evictions(torrents, kept=[], now=NOW, ttl=TTL, budget=19) == ["a", "b"]


def test_what_is_pinned_or_read_never_goes_but_counts() -> None:
    torrents = [stored("pinned", size=50, hours_ago=99), stored("other", hours_ago=1)]

    assert evictions(torrents, kept=["pinned"], now=NOW, ttl=TTL, budget=40) == ["other"]


names = st.sampled_from([f"{letter}" for letter in "abcdefgh"])
disks = st.lists(
    st.builds(stored, names, size=st.integers(0, 50), hours_ago=st.floats(0, 100)),
    unique_by=lambda one: one.infohash,
)


@given(torrents=disks, kept=st.frozensets(names), budget=st.integers(0, 200))
def test_after_the_janitor_all_fits_unless_what_is_kept_does_not(
    torrents: list[Stored], kept: frozenset[str], budget: int
) -> None:
    gone = evictions(torrents, kept={Infohash(name) for name in kept}, now=NOW, ttl=TTL, budget=budget)
    left = [torrent for torrent in torrents if torrent.infohash not in gone]

    assert not kept & set(gone)
    assert not budget or sum(one.size for one in left) <= budget or all(one.infohash in kept for one in left)
