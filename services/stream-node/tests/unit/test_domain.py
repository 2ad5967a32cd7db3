import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import MAX_FILES, Layout, TorrentFile, check_layout, parse_infohash, short
from vod_stream_node.errors import FileIndexOutOfRange, FileNotPlayable, InfohashInvalid, TorrentRefused


def layout(*sizes: int, piece_length: int = 16, suffix: str = ".mkv") -> Layout:
    offsets = [sum(sizes[:index]) for index in range(len(sizes))]
    files = (
        TorrentFile(index=index, path=f"pack/{index}{suffix}", size=size, offset=offset)
        for index, (size, offset) in enumerate(zip(sizes, offsets, strict=True))
    )
    return Layout(piece_length=piece_length, files=tuple(files))


@given(sizes=st.lists(st.integers(0, 100), min_size=1, max_size=8), length=st.integers(1, 40))
def test_the_bytes_of_a_files_pieces_add_up_to_the_file(sizes: list[int], length: int) -> None:
    torrent = layout(*sizes, piece_length=length)

    for file in torrent.files:
        assert file.size == sum(torrent.bytes_in(file, piece) for piece in torrent.pieces(file))
        assert all(torrent.bytes_in(file, piece) for piece in torrent.pieces(file))


def test_neighbours_share_the_piece_on_their_border() -> None:
    torrent = layout(20, 20)

    assert [range(2), range(1, 3)] == [torrent.pieces(file) for file in torrent.files]
    assert [torrent.piece_size(piece) for piece in range(3)] == [16, 16, 8]


@pytest.mark.parametrize("index", [-1, 2])
def test_an_index_without_a_file_is_out_of_range(index: int) -> None:
    with pytest.raises(FileIndexOutOfRange):
        layout(5, 5).playable(index)


@pytest.mark.parametrize("suffix", [".exe", ".mkv.exe", ".lnk", ".html", ".zip", ""])
def test_what_is_not_media_is_not_streamed(suffix: str) -> None:
    with pytest.raises(FileNotPlayable):
        layout(5, suffix=suffix).playable(0)


def test_links_are_not_streamed_whatever_they_are_called() -> None:
    link = TorrentFile(index=0, path="pack/film.mkv", size=5, offset=0, regular=False)

    with pytest.raises(FileNotPlayable):
        Layout(piece_length=16, files=(link,)).playable(0)


@pytest.mark.parametrize(
    "hostile",
    [
        layout(*[1] * (MAX_FILES + 1), piece_length=16 << 10),
        layout(0, piece_length=16 << 10),
        layout(5, piece_length=128 << 20),
        layout(5, piece_length=16),
    ],
    ids=["files", "nothing", "large pieces", "small pieces"],
)
def test_metadata_that_is_made_to_hurt_is_refused(hostile: Layout) -> None:
    with pytest.raises(TorrentRefused):
        check_layout(hostile)


@pytest.mark.parametrize("text", ["", "ab", "g" * 40, "../" + "a" * 37, "a" * 41, "a" * 40 + "\n"])
def test_what_is_no_infohash_is_refused(text: str) -> None:
    with pytest.raises(InfohashInvalid):
        parse_infohash(text)


def test_an_infohash_is_lower_case_and_short_in_logs() -> None:
    infohash = parse_infohash("ABCDEF0123" * 4)

    assert (infohash, short(infohash)) == ("abcdef0123" * 4, "abcdef0123ab")
