"""Taking the one subtitle out of an archive, without trusting a word that the archive says of itself.

Bytes are counted while they are read, names are only compared and never used as paths, nothing is written to disk.
zip and gzip are read; RAR and 7z are recognised and refused: their unpackers are native code with a history.
"""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from vod_subtitles.unreadable import UnreadableSubtitleError

MAX_ARCHIVE_BYTES = 10 * 1024 * 1024
_MAX_ENTRY_BYTES = 2 * 1024 * 1024
_MAX_TOTAL_BYTES = 20 * 1024 * 1024
_MAX_ENTRIES = 300
_CHUNK = 64 * 1024
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
SUFFIXES = frozenset({".srt", ".vtt", ".ass", ".ssa", ".sub", ".txt", ".ttml", ".dfxp", ".xml", ".smi"})
_REFUSED = {b"Rar!\x1a\x07": "RAR", b"7z\xbc\xaf\x27\x1c": "7z"}
_NUMBER = re.compile(r"s(\d{1,3})[ ._-]{0,3}e(\d{1,4})|(?<!\d)(\d{1,2})x(\d{1,3})(?!\d)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The episode looked for in an archive of several."""

    season: int
    episode: int


def unpacked(raw: bytes, *, wanted: Wanted | None = None) -> bytes:
    """Return the subtitle in an archive; what is no archive comes back as it is.

    Raises:
        UnreadableSubtitleError: it is too large, made to hurt, or does not hold the wanted subtitle.
    """
    for magic, name in _REFUSED.items():
        if raw.startswith(magic):
            raise UnreadableSubtitleError(f"a {name} archive; only zip and gzip are read")
    if raw.startswith(b"\x1f\x8b"):
        return _gunzipped(raw)
    if raw.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _unzipped(raw, wanted)
    return raw


def _gunzipped(raw: bytes) -> bytes:
    _limit(len(raw), MAX_ARCHIVE_BYTES, "archive")
    unzip = zlib.decompressobj(wbits=31)
    try:
        data = unzip.decompress(raw, _MAX_ENTRY_BYTES + 1)
    except zlib.error as error:
        raise UnreadableSubtitleError("a broken gzip file") from error
    _limit(len(data), _MAX_ENTRY_BYTES, "file in the archive")
    if not unzip.eof:
        raise UnreadableSubtitleError("a gzip file that is cut off")
    return data


def _unzipped(raw: bytes, wanted: Wanted | None) -> bytes:
    _limit(len(raw), MAX_ARCHIVE_BYTES, "archive")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            _check(entries)
            return _read(archive, _chosen(entries, wanted))
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError, RuntimeError) as error:
        raise UnreadableSubtitleError(f"a broken zip archive: {type(error).__name__}") from error


def _check(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse what no honest archive of subtitles is."""
    if len(entries) > _MAX_ENTRIES:
        raise UnreadableSubtitleError(f"an archive of more than {_MAX_ENTRIES} files")
    _limit(sum(entry.file_size for entry in entries), _MAX_TOTAL_BYTES, "archive's contents")
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise UnreadableSubtitleError("an encrypted archive")
    # Entries that share bytes are how 33 KB hold 5 GB.
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise UnreadableSubtitleError("an archive whose files overlap")
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size


def _chosen(entries: Sequence[zipfile.ZipInfo], wanted: Wanted | None) -> zipfile.ZipInfo:
    readable = [entry for entry in entries if _is_subtitle(entry)]
    if wanted is not None and len(readable) > 1:
        readable = [entry for entry in readable if _number(entry.filename) == (wanted.season, wanted.episode)]
    if not readable:
        raise UnreadableSubtitleError("an archive without the subtitle")
    return readable[0]


def _is_subtitle(entry: zipfile.ZipInfo) -> bool:
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    return not entry.is_dir() and not is_link and base_name(entry.filename).suffix.lower() in SUFFIXES


def base_name(name: str) -> PurePosixPath:
    """Return the last part of a name from outside, whichever slashes it has."""
    return PurePosixPath(PurePosixPath(name.replace("\\", "/")).name)


def _number(name: str) -> tuple[int, int] | None:
    found = _NUMBER.search(base_name(name).name)
    return (int(found[1] or found[3]), int(found[2] or found[4])) if found else None


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    data = bytearray()
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            data += chunk
            _limit(len(data), _MAX_ENTRY_BYTES, "file in the archive")
    return bytes(data)


def _limit(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise UnreadableSubtitleError(f"the {what} has more than {limit} bytes")
