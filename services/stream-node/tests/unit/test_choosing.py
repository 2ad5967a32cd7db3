"""Which file is played when nobody said which."""

import pytest

from vod_stream_node.choosing import main_file
from vod_stream_node.domain import Layout, TorrentFile
from vod_stream_node.errors import FileNotPlayable

MB = 1_000_000


def chosen(files: dict[str, int], title: str = "") -> str:
    found, offset = [], 0
    for index, (path, size) in enumerate(files.items()):
        found.append(TorrentFile(index=index, path=path, size=size, offset=offset))
        offset += size
    return main_file(Layout(1 << 20, tuple(found)), title=title).path


@pytest.mark.parametrize(
    ("files", "title", "expected"),
    [
        ({"F/film.nfo": 1, "F/sample.mkv": 900 * MB, "F/film.mkv": 800 * MB}, "", "F/film.mkv"),
        ({"F/Extras/long.mkv": 900 * MB, "F/film.mp4": 800 * MB}, "", "F/film.mp4"),
        ({"P/x.S01E03.mkv": 400 * MB, "P/x.S01E01.mkv": 300 * MB, "P/x.S01E02.mkv": 500 * MB}, "", "P/x.S01E01.mkv"),
        ({"P/x.S01E03.mkv": 400 * MB, "P/x.S01E01.mkv": 300 * MB}, "X S01E03 1080p", "P/x.S01E03.mkv"),
        ({"P/x.1x02.mkv": 400 * MB, "P/x.1x01.mkv": 300 * MB}, "", "P/x.1x01.mkv"),
        ({"P/S01E01.teaser.mkv": 10 * MB, "P/S01E02.mkv": 400 * MB}, "", "P/S01E02.mkv"),
        ({"P/S00E01.mkv": 10 * MB, "P/S01E01.mkv": 400 * MB}, "", "P/S01E01.mkv"),
        ({"The Sample/The Sample.mkv": 700 * MB, "The Sample/b.mkv": 1}, "The Sample", "The Sample/The Sample.mkv"),
        ({"a.exe": 900 * MB, "a.mkv": 1}, "", "a.mkv"),
        ({"only.sample.mkv": 5}, "", "only.sample.mkv"),
    ],
)
def test_the_file_is_the_one_a_person_would_open(files: dict[str, int], title: str, expected: str) -> None:
    assert expected == chosen(files, title)


@pytest.mark.parametrize("files", [{"a.mp3": 5}, {"a.txt": 5}, {"a.mkv": 0}])
def test_a_torrent_without_video_is_refused(files: dict[str, int]) -> None:
    with pytest.raises(FileNotPlayable):
        chosen(files)
