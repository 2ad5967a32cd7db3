"""What the viewers of a file still come to."""

import pytest

from vod_stream_node.audience import Audience
from vod_stream_node.domain import Layout, Purpose, TorrentFile

MIB = 1 << 20
LAYOUT = Layout(
    piece_length=MIB, files=(TorrentFile(0, "E01.mkv", 50 * MIB, 0), TorrentFile(1, "E02.mkv", 50 * MIB, 50 * MIB))
)
ALL = set(range(100))


def audience() -> Audience:
    watching = Audience(lambda: 0.0)
    watching.want({0: Purpose.CURRENT})
    return watching


@pytest.mark.parametrize(("at", "missing", "lacks"), [(20, 10, False), (20, 20, True), (20, 30, True), (20, 60, False)])
def test_what_lies_behind_a_viewer_is_not_lacking(at: int, missing: int, lacks: bool) -> None:
    watching = audience()
    watching.readers.open(0, at)

    assert lacks is watching.lacks(0, LAYOUT, ALL - {missing})


def test_with_several_viewers_the_last_one_counts() -> None:
    watching = audience()
    watching.readers.open(0, 40)
    watching.readers.open(0, 5)

    assert watching.lacks(0, LAYOUT, ALL - {10})


def test_of_a_file_that_nobody_has_read_all_is_needed() -> None:
    assert audience().lacks(0, LAYOUT, ALL - {0})


def test_who_reads_the_index_at_the_end_has_not_come_there() -> None:
    watching = audience()
    watching.readers.open(0, 49)

    assert watching.lacks(0, LAYOUT, ALL - {10})


def test_who_has_read_to_the_end_and_hung_up_needs_no_more_until_somebody_else_watches() -> None:
    watching = audience()
    reader = watching.readers.open(0, 30)
    before = watching.lacks(0, LAYOUT, ALL - {10, 40})
    watching.readers.move(reader, 49)
    watching.readers.close(reader)
    after = watching.lacks(0, LAYOUT, ALL - {10})
    watching.want({1: Purpose.NEXT})
    watching.want({0: Purpose.CURRENT})

    assert (before, after) == (True, False)
    assert watching.lacks(0, LAYOUT, ALL - {10})
