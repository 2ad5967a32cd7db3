from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import Infohash
from vod_stream_node.reader import PieceCache

TORRENT = Infohash("a" * 40)


def test_the_longest_unused_piece_goes_first() -> None:
    cache = PieceCache(10)
    for piece in (1, 2):
        cache.put(TORRENT, piece, b"12345")

    cache.get(TORRENT, 1)
    cache.put(TORRENT, 3, b"12345")

    assert [cache.get(TORRENT, piece) for piece in (1, 2, 3)] == [b"12345", None, b"12345"]


@given(pieces=st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=12)), max_size=30))
def test_the_cache_never_holds_more_than_its_budget(pieces: list[tuple[int, bytes]]) -> None:
    cache = PieceCache(20)

    for piece, data in pieces:
        cache.put(TORRENT, piece, data)

    assert sum(len(cache.get(TORRENT, piece) or b"") for piece in range(6)) <= 20
