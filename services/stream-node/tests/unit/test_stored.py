"""What of a torrent the file system really holds."""

from pathlib import Path
from types import SimpleNamespace

from vod_stream_node.checkpoints import Checkpoints
from vod_stream_node.domain import Layout, TorrentFile
from vod_stream_node.holdings import Holdings
from vod_stream_node.signals import Signal
from vod_stream_node.stored import stored

KIB = 1 << 10
PIECE = 64 * KIB


def _layout(*sizes: int) -> Layout:
    """Files of these sizes one after the other, in pieces of 64 KiB."""
    offsets = [sum(sizes[:index]) for index in range(len(sizes))]
    files = (TorrentFile(index, f"{index}.mkv", size, offsets[index]) for index, size in enumerate(sizes))
    return Layout(PIECE, tuple(files))


def _write(path: Path, *, size: int, holes: list[tuple[int, int]]) -> None:
    """Write a file with holes where nobody wrote yet."""
    with path.open("wb") as file:
        file.truncate(size)
        for begin in range(0, size, 4 * KIB):
            if not any(start <= begin < end for start, end in holes):
                file.seek(begin)
                file.write(b"x" * min(4 * KIB, size - begin))


def test_a_piece_with_a_hole_is_not_stored(tmp_path: Path) -> None:
    _write(tmp_path / "0.mkv", size=4 * PIECE, holes=[(PIECE + 16 * KIB, PIECE + 32 * KIB)])

    assert stored(_layout(4 * PIECE), range(4), folder=tmp_path) == {0, 2, 3}


def test_a_piece_beyond_the_end_of_what_was_written_is_not_stored(tmp_path: Path) -> None:
    _write(tmp_path / "0.mkv", size=PIECE + KIB, holes=[])

    assert stored(_layout(4 * PIECE), range(4), folder=tmp_path) == {0}


def test_a_piece_that_two_files_share_is_stored_when_both_hold_their_parts(tmp_path: Path) -> None:
    layout = _layout(PIECE + 8 * KIB, 0, 2 * PIECE)
    _write(tmp_path / "0.mkv", size=PIECE + 8 * KIB, holes=[])
    before = stored(layout, range(4), folder=tmp_path)
    _write(tmp_path / "2.mkv", size=2 * PIECE, holes=[(PIECE, PIECE + 4 * KIB)])

    assert before == {0}
    assert stored(layout, range(4), folder=tmp_path) == {0, 1, 3}


def test_nothing_is_stored_by_way_of_a_link(tmp_path: Path) -> None:
    _write(tmp_path / "elsewhere", size=PIECE, holes=[])
    (tmp_path / "0.mkv").symlink_to(tmp_path / "elsewhere")

    assert stored(_layout(PIECE), range(1), folder=tmp_path) == set()


async def test_what_another_thread_is_still_writing_when_the_cache_is_flushed_counts_from_the_next_checkpoint(
    tmp_path: Path,
) -> None:
    held, saved = Holdings(), []
    handle = SimpleNamespace(flush_cache=lambda: None, save_resume_data=lambda _: saved.append(set(held.flushed)))
    checkpoints = Checkpoints(handle, held, Signal(), folder=tmp_path)
    checkpoints.open(_layout(4 * PIECE))
    held.have = {0, 1, 2}
    _write(tmp_path / "0.mkv", size=4 * PIECE, holes=[(PIECE, 2 * PIECE)])
    for _ in range(2):
        checkpoints.now()
        await checkpoints.on_flushed()
        _write(tmp_path / "0.mkv", size=4 * PIECE, holes=[])
    checkpoints.close()

    assert saved == [{0, 2}, {0, 1, 2}]
