"""Subtitle files that lie beside a video in its torrent: which are this episode's, and what their names tell."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from vod_subtitles.domain import EpisodeKey, Lang, Listed, Picked, Trait
from vod_subtitles.languages import language_of

TORRENT = "torrent"
"""The source of files beside a video."""

_SUBTITLES = frozenset({".srt", ".vtt", ".ass", ".ssa", ".sub"})
_VIDEOS = frozenset({".mkv", ".mp4", ".m4v", ".webm", ".mov", ".avi", ".ts", ".m2ts", ".wmv", ".mpg", ".mpeg"})
_READ_INSIDE = frozenset({".mkv", ".webm", ".mp4", ".m4v", ".mov"})
_EPISODE = re.compile(r"s(\d{1,3})[ ._-]{0,3}e(\d{1,4})|(?<!\d)(\d{1,2})x(\d{1,3})(?!\d)", re.IGNORECASE | re.ASCII)
_WORDS = re.compile(r"[^\W_]+(?:-[A-Za-z]{2,4})?")
_TRAITS = {
    "forced": Trait.FORCED,
    "foreign": Trait.FORCED,
    "sdh": Trait.HEARING_IMPAIRED,
    "cc": Trait.HEARING_IMPAIRED,
    "hi": Trait.HEARING_IMPAIRED,
}
_MAX_BYTES = 2 * 1024 * 1024
_MOST = 60


@dataclass(frozen=True, slots=True)
class File:
    """A file of a torrent; its path is `/`-separated."""

    index: int
    path: str
    size: int

    @property
    def pure(self) -> PurePosixPath:
        return PurePosixPath(self.path)

    @property
    def suffix(self) -> str:
        return self.pure.suffix.lower()


@dataclass(frozen=True, slots=True)
class Beside:
    """A video and what lies beside it: the torrent's files, and which of the video's bytes are here."""

    index: int
    files: tuple[File, ...]
    present: tuple[tuple[int, int], ...]

    @property
    def video(self) -> File | None:
        return next((file for file in self.files if file.index == self.index), None)

    @property
    def begin(self) -> int:
        """How many bytes from the video's begin are here without a gap."""
        return self.present[0][1] if self.present and self.present[0][0] == 0 else 0

    @property
    def may_have_tracks(self) -> bool:
        return self.video is not None and self.video.suffix in _READ_INSIDE


def sidecars(beside: Beside, key: EpisodeKey, picked: Picked) -> list[Listed]:
    """Return the subtitle files of an episode in its torrent."""
    video = beside.video
    if video is None:
        return []
    found = [file for file in _readable(beside.files) if _belongs(file, video, beside.files, key)]
    return [_listed(file, video, picked) for file in found[:_MOST]]


def _readable(files: Sequence[File]) -> Iterator[File]:
    pictures = {file.pure.with_suffix("") for file in files if file.suffix == ".idx"}
    for file in files:
        # Beside an .idx, a .sub holds pictures of text.
        if file.suffix in _SUBTITLES and 0 < file.size <= _MAX_BYTES and file.pure.with_suffix("") not in pictures:
            yield file


def _belongs(file: File, video: File, files: Sequence[File], key: EpisodeKey) -> bool:
    stem = video.pure.stem.lower()
    if file.pure.stem.lower().startswith(stem) or stem in (part.lower() for part in file.pure.parts[:-1]):
        return True
    number = _number(file.pure.name)
    if number is not None:
        return number == (_number(video.pure.name) or (key.season, key.episode))
    # A name like `English.srt` tells of no episode: it is that of the only video there is.
    return sum(one.suffix in _VIDEOS and "sample" not in one.path.lower() for one in files) == 1


def _number(name: str) -> tuple[int, int] | None:
    found = _EPISODE.search(name)
    return (int(found[1] or found[3]), int(found[2] or found[4])) if found else None


def _listed(file: File, video: File, picked: Picked) -> Listed:
    name = file.pure.stem
    if name.lower().startswith(video.pure.stem.lower()):
        name = name[len(video.pure.stem) :]
    # The language stands at the end: `Show.S01E01.It.Follows.en.forced`.
    words = [word.lower() for word in _WORDS.findall(name)][::-1]
    lang = next((lang for word in words if (lang := language_of(word))), "und")
    traits = frozenset(trait for word in words if (trait := _TRAITS.get(word)))
    return Listed(
        source=TORRENT,
        file_id=f"{picked.infohash}:{file.index}",
        lang=Lang(lang),
        release_title=picked.release_title,
        downloads=0,
        traits=traits,
        matches=picked.video,
    )
