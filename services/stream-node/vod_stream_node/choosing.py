"""Which file of a torrent is meant when nobody said: the one that a person would double-click."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from vod_stream_node.domain import Layout, TorrentFile
from vod_stream_node.errors import FileNotPlayable

_NUMBER = re.compile(r"(?<![a-z0-9])s(\d{1,3})[ ._-]?e(\d{1,4})(?!\d)|(?<!\d)(\d{1,2})x(\d{2,3})(?!\d)", re.IGNORECASE)
_EXTRA = re.compile(
    r"(?<![a-z])(samples?|trailers?|teasers?|extras?|featurettes?|bonus|proof|menus?|interviews?|"
    r"nc(?:op|ed)|creditless|deleted[ ._-]scenes|behind[ ._-]the[ ._-]scenes)(?![a-z])",
    re.IGNORECASE,
)
_PART_OF_SEASON = 0.25
"""An episode is at least so large as part of the pack's largest video; what is smaller is packed beside them."""


def main_file(layout: Layout, *, title: str = "") -> TorrentFile:
    """Return the file to play: the episode that *title* names, else the pack's first episode, else the largest video.

    Raises:
        FileNotPlayable: there is no video in it.
    """
    videos = [file for file in layout.files if (file.content_type or "").startswith("video/") and file.size]
    videos = [file for file in videos if not _EXTRA.search(_told(file, title))] or videos
    if not videos:
        raise FileNotPlayable("The torrent holds no video.", metadata={"files": str(len(layout.files))})
    largest = max(videos, key=lambda file: file.size)
    numbered = {file: number for file in videos if (number := _number(file.name))}
    wanted = _number(title)
    named = [file for file, number in numbered.items() if number == wanted]
    if named:
        return max(named, key=lambda file: file.size)
    episodes = {file: number for file, number in numbered.items() if file.size >= largest.size * _PART_OF_SEASON}
    if largest in episodes:
        return min(episodes, key=lambda file: (episodes[file], -file.size))
    return largest


def _told(file: TorrentFile, title: str) -> str:
    """Return what a path says about a file, without what the whole torrent is called anyway."""
    parts: Sequence[str] = PurePosixPath(file.path).parts
    inner = "/".join(parts[1:] or parts)
    return "" if _EXTRA.search(title) else inner


def _number(name: str) -> tuple[int, int] | None:
    found = _NUMBER.search(name)
    if found is None:
        return None
    season, episode = (found[1], found[2]) if found[1] else (found[3], found[4])
    return int(season), int(episode)
