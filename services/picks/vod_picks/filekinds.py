"""What sort of file a name stands for: a video, something dangerous, or an extra."""

import re
import unicodedata
from collections.abc import Iterable, Set
from pathlib import PurePosixPath

from vod_picks.domain import TorrentFile

# fmt: off
VIDEO = frozenset({
    ".mkv", ".mp4", ".m4v", ".avi", ".mov", ".webm", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv",
    ".ogm", ".vob",
})
DANGEROUS = frozenset({
    ".exe", ".msi", ".msix", ".scr", ".bat", ".cmd", ".pif", ".cpl", ".dll", ".lnk", ".vbs", ".vbe", ".js", ".jse",
    ".wsf", ".wsh", ".hta", ".ps1", ".psm1", ".reg", ".jar", ".apk", ".dmg", ".pkg", ".deb", ".rpm", ".desktop", ".arj",
    ".zipx", ".ace", ".chm", ".inf", ".gadget", ".scf",
})
DISC_FOLDERS = frozenset({"bdmv", "video_ts"})
_EXTRA_FOLDERS = frozenset({
    "sample", "samples", "extra", "extras", "featurette", "featurettes", "trailer", "trailers", "bonus", "proof",
    "screens", "screenshots", "interviews", "shorts", "scenes", "other", "others", "menu", "menus", "ncop", "nced",
    "credits", "creditless", "behind the scenes", "deleted scenes", "bonus features", "special features", "making of",
})
_EXTRA_WORDS = frozenset({
    "sample", "trailer", "trailers", "teaser", "featurette", "featurettes", "creditless", "ncop", "nced",
})
"""Never part of the name of the thing itself, wherever they stand (unless its title has the word)."""
_EXTRA_EDGE_WORDS = _EXTRA_WORDS | {
    "extra", "extras", "bonus", "promo", "preview", "menu", "interview", "bloopers", "outtakes", "pv",
}
"""Words of ordinary episode titles as well; they count only at the beginning or the end of a name."""
# fmt: on
_NUMBERED = re.compile(r"(?<=[a-z])\d{1,2}$")


def suffix(file: TorrentFile) -> str:
    """Return the extension with its dot, in lower case."""
    return PurePosixPath(file.path).suffix.lower()


def is_extra(file: TorrentFile, *, folders: Iterable[str], spare: Set[str]) -> bool:
    """Tell whether a file is a sample, a trailer or the like.

    Args:
        folders: the folders around it that say something about it.
        spare: words of the title, which say nothing ("Trailer Town", "The Sample").
    """
    extra_folders = {normal(folder) for folder in folders} & _EXTRA_FOLDERS
    if any(not set(folder.split()) <= spare for folder in extra_folders):
        return True
    said = [_NUMBERED.sub("", word) for word in normal(PurePosixPath(file.path).stem).split()]
    edges = {said[0], said[-1]} if said else set()
    return bool((_EXTRA_WORDS & set(said) | _EXTRA_EDGE_WORDS & edges) - spare)


def words(*texts: str) -> frozenset[str]:
    """Return the words of *texts* as `normal` writes them."""
    return frozenset(word for text in texts for word in normal(text).split())


def normal(text: str) -> str:
    """Return *text* in lower case, without accents, with single spaces for all that is no letter or digit."""
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(char for char in text if not unicodedata.combining(char)).replace("&", " and ")
    return " ".join(re.sub(r"[\W_]+", " ", text).split())
