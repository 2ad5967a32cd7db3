"""Finds the file of a torrent that is the wanted episode: by what its name says, never by its size.

Size only breaks ties between files that are the same episode, and tells a film from what was packed beside it.
"""

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath

from PTT import parse_title

from vod_picks.domain import ChosenFile, Episode, Kind, Reason, SourceKind, TorrentFile
from vod_picks.filekinds import DANGEROUS, DISC_FOLDERS, VIDEO, is_extra, normal, suffix, words
from vod_picks.numbering import NOTHING, Numbering, guess_numbering, read_numbering, stated_season, version_of

_PART = re.compile(r"(?<![a-z0-9])(?:cd|disc|disk)[\s._-]?[1-9](?![a-z0-9])", re.IGNORECASE)
_MAX_STEM = 300
_MAX_GUESSES = 60
"""Names shown to parsett per torrent; a hostile one can take it 50 ms."""
_MAIN_FEATURE = 2.0
"""A film is at least so many times larger than anything else that might be it."""


@dataclass(frozen=True, slots=True)
class _Video:
    file: TorrentFile
    stem: str
    numbering: Numbering
    season: int | None
    """What the folder, or else the release, says the season is."""


def find_file(files: Sequence[TorrentFile], *, episode: Episode, release_title: str) -> ChosenFile | Reason:
    """Return the file that is *episode*, or why there is none.

    A torrent that holds anything executable is refused as a whole: nobody packs that beside an honest video.
    """
    for file in files:
        if suffix(file) in DANGEROUS:
            return Reason("DANGEROUS_FILE", f"the torrent holds a {suffix(file)} file")
    if any(DISC_FOLDERS & {folder.lower() for folder in PurePosixPath(file.path).parts[:-1]} for file in files):
        return Reason("DISC_IMAGE", "the torrent is a disc image, not a file per episode")
    spare = words(*episode.titles, episode.name)
    videos = [
        f
        for f in files
        if suffix(f) in VIDEO and f.size_bytes > 0 and not is_extra(f, folders=_folders(f), spare=spare)
    ]
    if not videos:
        return Reason("NO_VIDEO", "the torrent holds no video besides samples and extras")
    if episode.kind is Kind.MOVIE:
        return _find_film(videos, episode)
    return _find_episode(videos, episode, release_title=release_title)


# Episodes ------------------------------------------------------------------------------------------------------------


def _find_episode(files: Sequence[TorrentFile], episode: Episode, *, release_title: str) -> ChosenFile | Reason:
    videos = _read(files, release_title=release_title)
    kind = SourceKind.SEASON_PACK if len(videos) > 1 and len({v.numbering for v in videos}) > 1 else SourceKind.SINGLE
    neighbours = _bare_numbers(videos)
    matches = [video for video in videos if _is_wanted(video, episode, neighbours[video.season])]
    if not matches and len(videos) == 1 and videos[0].numbering == NOTHING:
        # One nameless file in a release that is named after the episode is the episode.
        named = _Video(videos[0].file, "", read_numbering(release_title), stated_season(release_title))
        matches = [named] if _is_wanted(named, episode, named.numbering.bare) else []
    if not matches:
        text = f"none of its {len(videos)} video files is S{episode.key.season:02}E{episode.key.episode:02}"
        return Reason("NO_SUCH_FILE", text + (f" or number {episode.absolute}" if episode.absolute else ""))
    if len(matches) > 1:
        matches.sort(key=lambda video: _preference(video, episode))
    return ChosenFile(file=matches[0].file, source_kind=kind)


def _read(files: Sequence[TorrentFile], *, release_title: str) -> list[_Video]:
    videos, guesses = [], 0
    release_season = stated_season(release_title)
    for file in files:
        stem = _stem(file)
        numbering = read_numbering(stem)
        if numbering == NOTHING and guesses < _MAX_GUESSES:
            guesses += 1
            numbering = guess_numbering(stem)
        seasons = [stated_season(folder) for folder in reversed(_folders(file))]
        season = next((one for one in seasons if one is not None), release_season)
        videos.append(_Video(file, stem, numbering, season))
    return videos


def _bare_numbers(videos: Iterable[_Video]) -> dict[int | None, set[int]]:
    """Return the numbers without a season in the files' own names, by the season that stands around them."""
    numbers: dict[int | None, set[int]] = {}
    for video in videos:
        numbers.setdefault(video.season, set()).update(video.numbering.bare)
    return numbers


def _is_wanted(video: _Video, episode: Episode, neighbours: Set[int]) -> bool:
    numbering, key = video.numbering, episode.key
    if numbering.season is not None:
        if numbering.season == key.season:
            return key.episode in numbering.episodes
        # Some count a whole anime as season 1: then its number is too high for a first season.
        return numbering.season == 1 and episode.absolute > key.episode and episode.absolute in numbering.episodes
    if numbering.aired is not None:
        return numbering.aired == episode.air_date
    return any(_bare_is_wanted(number, video.season, episode, neighbours) for number in numbering.bare)


def _bare_is_wanted(number: int, season: int | None, episode: Episode, neighbours: Set[int]) -> bool:
    """Tell whether a number without a season is the episode, given the season around it and the numbers beside it."""
    key = episode.key
    if not episode.absolute:
        return (season == key.season and number in (key.episode, _scene_number(episode, neighbours))) or (
            season is None and (key.season, key.episode) == (1, number)
        )
    before = episode.absolute - key.episode  # episodes in all seasons before this one
    if season not in (None, key.season):
        return False
    if season is None or before == 0:
        return number == episode.absolute
    if min(neighbours) <= before:
        return number == key.episode  # the season counts from 1: numbers up to `before` can't be of it otherwise
    # From the first number of this season on, and more than one file: counted over all seasons. Else nobody can tell.
    return number == episode.absolute and min(neighbours) == before + 1 and len(neighbours) > 1


def _scene_number(episode: Episode, neighbours: Set[int]) -> int | None:
    """Return `103` for S01E03 where all numbers of the season are of that form."""
    hundreds = episode.key.season * 100
    return hundreds + episode.key.episode if all(hundreds < one < hundreds + 100 for one in neighbours) else None


def _preference(video: _Video, episode: Episode) -> tuple[bool, int, int, int, str]:
    """Order files that are all the episode: of this title, alone in its file, the latest version, the larger one."""
    title = str(parse_title(video.stem).get("title", "")) if video.stem else ""
    foreign = bool(title) and normal(title) not in {normal(one) for one in episode.titles}
    together = len(video.numbering.episodes | video.numbering.bare)
    return foreign, together, -version_of(video.stem), -video.file.size_bytes, video.file.path


# Films ---------------------------------------------------------------------------------------------------------------


def _find_film(videos: Sequence[TorrentFile], episode: Episode) -> ChosenFile | Reason:
    if len(videos) == 1:
        return ChosenFile(file=videos[0], source_kind=SourceKind.SINGLE)
    if sum(bool(_PART.search(_stem(video))) for video in videos) > 1:
        return Reason("SPLIT_FILM", "the film is split over several files")
    titles = {normal(title) for title in episode.titles}
    named = []
    possible = []
    for video in videos[:_MAX_GUESSES]:
        parsed = parse_title(_stem(video))
        year = int(parsed.get("year", 0) or 0)
        if read_numbering(_stem(video)).season is not None or (year and episode.year and abs(year - episode.year) > 1):
            continue
        possible.append(video)
        if normal(str(parsed.get("title", ""))) in titles:
            named.append(video)
    pool = sorted(named or possible, key=lambda video: (-video.size_bytes, video.path))
    if pool and (named or len(pool) == 1 or pool[0].size_bytes >= _MAIN_FEATURE * pool[1].size_bytes):
        return ChosenFile(file=pool[0], source_kind=SourceKind.SINGLE)
    return Reason("NO_SUCH_FILE", f"none of its {len(videos)} video files can be told to be the film")


# Names ---------------------------------------------------------------------------------------------------------------


def _stem(file: TorrentFile) -> str:
    return PurePosixPath(file.path).stem[:_MAX_STEM]


def _folders(file: TorrentFile) -> list[str]:
    return list(PurePosixPath(file.path).parts[:-1])
