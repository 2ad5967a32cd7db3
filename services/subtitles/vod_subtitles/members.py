"""The files in an archive: which one is meant, and what no honest archive of subtitles has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from vod_subtitles.unreadable import UnreadableSubtitleError

MAX_MEMBER_BYTES = 2 * 1024 * 1024
SUFFIXES = frozenset({".srt", ".vtt", ".ass", ".ssa", ".sub", ".txt", ".ttml", ".dfxp", ".xml", ".smi"})
_MAX_TOTAL_BYTES = 20 * 1024 * 1024
_MAX_MEMBERS = 300
_NUMBER = re.compile(
    r"s(\d{1,3})[ ._-]{0,3}e(\d{1,4})(?!\d)|(?<!\d)(\d{1,2})x(\d{1,3})(?!\d)", re.IGNORECASE | re.ASCII
)
# `[Group] Title - 05 (1080p).ass`, `Title E05.srt`, `05.srt`
_NUMBER_ALONE = re.compile(
    r"(?:^|\s-\s|\be(?:p(?:isode)?)?[ ._-]?)(\d{1,4})(?:v\d)?(?![\dp])", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The episode looked for in an archive of several."""

    season: int
    episode: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, as the archive describes it."""

    name: str
    size: int
    is_plain: bool
    """Neither a folder nor a link."""
    is_encrypted: bool


def check_members(members: Sequence[Member]) -> None:
    """Refuse what no honest archive of subtitles is.

    Raises:
        UnreadableSubtitleError: too many files, too many bytes, or locked.
    """
    if len(members) > _MAX_MEMBERS:
        raise UnreadableSubtitleError(f"an archive of more than {_MAX_MEMBERS} files")
    check_size(sum(member.size for member in members), _MAX_TOTAL_BYTES, "archive's contents")
    if any(member.is_encrypted for member in members):
        raise UnreadableSubtitleError("an encrypted archive")


def chosen(members: Sequence[Member], wanted: Wanted | None) -> Member:
    """Return the subtitle that is meant: the only one, or that of the wanted episode.

    Where no name tells of an episode, it is the first one by name.

    Raises:
        UnreadableSubtitleError: there is none.
    """
    readable = sorted((member for member in members if _is_subtitle(member)), key=lambda member: member.name)
    if wanted is not None and len(readable) > 1:
        numbers = [episode_in(member.name, season=wanted.season) for member in readable]
        if any(numbers):
            asked = (wanted.season, wanted.episode)
            readable = [member for member, number in zip(readable, numbers, strict=True) if number == asked]
    if not readable:
        raise UnreadableSubtitleError("an archive without the subtitle")
    return readable[0]


def episode_in(name: str, *, season: int) -> tuple[int, int] | None:
    """Return the season and the episode that a file's name tells of; a number alone is one of *season*."""
    stem = base_name(name).stem
    if found := _NUMBER.search(stem):
        return int(found[1] or found[3]), int(found[2] or found[4])
    alone = _NUMBER_ALONE.search(stem)
    return (season, int(alone[1])) if alone else None


def base_name(name: str) -> PurePosixPath:
    """Return the last part of a name from outside, whichever slashes it has."""
    return PurePosixPath(PurePosixPath(name.replace("\\", "/")).name)


def check_size(size: int, limit: int, what: str) -> None:
    """Refuse more bytes than there may be.

    Raises:
        UnreadableSubtitleError: there are.
    """
    if size > limit:
        raise UnreadableSubtitleError(f"the {what} has more than {limit} bytes")


def _is_subtitle(member: Member) -> bool:
    return member.is_plain and base_name(member.name).suffix.lower() in SUFFIXES
