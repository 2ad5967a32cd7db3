from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import Infohash, PinKey
from vod_stream_node.janitor import Limits, evictions
from vod_stream_node.store import Stored

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TTL = timedelta(hours=72)


def stored(name: str, *, file_index: int = 0, size: int = 10, hours_ago: float = 1) -> Stored:
    return Stored(Infohash(name), file_index, size=size, used_at=NOW - timedelta(hours=hours_ago))


def gone(files: list[Stored], *kept: Stored, limits: Limits | None = None) -> list[tuple[str, int]]:
    keys = {PinKey(one.infohash, one.file_index) for one in kept}
    return [(one.infohash, one.file_index) for one in evictions(files, kept=keys, now=NOW, ttl=TTL, limits=limits)]


def test_what_was_not_used_for_long_goes() -> None:
    files = [stored("old", hours_ago=73), stored("new", hours_ago=71)]

    assert gone(files) == [("old", 0)]


def test_above_the_high_water_the_longest_unused_go_until_the_low_water() -> None:
    files = [stored("c", hours_ago=1), stored("a", hours_ago=3), stored("b", hours_ago=2)]

    assert gone(files, limits=Limits(high=30, low=10)) == []
    assert gone(files, limits=Limits(high=29, low=20)) == [("a", 0)]
    assert gone(files, limits=Limits(high=29, low=19)) == [("a", 0), ("b", 0)]


def test_single_files_of_a_pack_go_while_another_is_watched() -> None:
    pack = [stored("pack", file_index=number, hours_ago=10 - number) for number in range(4)]

    assert gone(pack, pack[0], pack[3], limits=Limits(high=39, low=25)) == [("pack", 1), ("pack", 2)]


def test_what_is_pinned_or_read_never_goes_but_counts() -> None:
    files = [stored("pinned", size=50, hours_ago=99), stored("other", hours_ago=1)]

    assert gone(files, files[0], limits=Limits(high=40, low=36)) == [("other", 0)]


names = st.sampled_from([f"{letter}" for letter in "abcdefgh"])
disks = st.lists(
    st.builds(stored, names, file_index=st.integers(0, 3), size=st.integers(0, 50), hours_ago=st.floats(0, 100)),
    unique_by=lambda one: (one.infohash, one.file_index),
)


@given(files=disks, kept=st.frozensets(st.tuples(names, st.integers(0, 3))), high=st.integers(0, 200))
def test_after_the_janitor_all_is_below_the_low_water_unless_what_is_kept_is_not(
    files: list[Stored], kept: frozenset[tuple[str, int]], high: int
) -> None:
    keys = {PinKey(Infohash(name), index) for name, index in kept}
    limits = Limits(high=high, low=high * 9 // 10)
    chosen = evictions(files, kept=keys, now=NOW, ttl=TTL, limits=limits)
    left = [one for one in files if one not in chosen]
    free = [one for one in left if PinKey(one.infohash, one.file_index) not in keys and one.size]

    assert not keys & {PinKey(one.infohash, one.file_index) for one in chosen}
    if sum(one.size for one in files) > high and free:
        assert sum(one.size for one in left) <= limits.low
