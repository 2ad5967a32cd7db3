"""Taking the one subtitle out of an archive, without trusting a word that the archive says of itself.

Bytes are counted while they are read, names are only compared and never used as paths, nothing is written to disk. zip
and gzip are read by Python's own modules, RAR and 7z by 7-Zip (`sevenzip.py`).
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Sequence

from vod_subtitles import sevenzip
from vod_subtitles.members import MAX_MEMBER_BYTES, Member, Wanted, check_members, check_size, chosen
from vod_subtitles.unreadable import UnreadableSubtitleError

MAX_ARCHIVE_BYTES = 10 * 1024 * 1024
ARCHIVES = frozenset({".zip", ".rar", ".7z", ".gz"})
"""How their names end."""
_CHUNK = 64 * 1024
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
_RAR, _7Z, _GZIP, _ZIP = b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")


def unpacked(raw: bytes, *, wanted: Wanted | None = None) -> bytes:
    """Return the subtitle in an archive; what is no archive comes back as it is.

    Raises:
        UnreadableSubtitleError: it is too large, made to hurt, or does not hold the wanted subtitle.
    """
    if not raw.startswith((_RAR, _7Z, _GZIP, *_ZIP)):
        return raw
    check_size(len(raw), MAX_ARCHIVE_BYTES, "archive")
    if raw.startswith(_GZIP):
        return _gunzipped(raw)
    if raw.startswith(_ZIP):
        return _unzipped(raw, wanted)
    with sevenzip.opened(raw) as archive:
        members = archive.members()
        check_members(members)
        return archive.read(chosen(members, wanted), limit=MAX_MEMBER_BYTES)


def _gunzipped(raw: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        data = unzip.decompress(raw, MAX_MEMBER_BYTES + 1)
    except zlib.error as error:
        raise UnreadableSubtitleError("a broken gzip file") from error
    check_size(len(data), MAX_MEMBER_BYTES, "file in the archive")
    if not unzip.eof:
        raise UnreadableSubtitleError("a gzip file that is cut off")
    return data


def _unzipped(raw: bytes, wanted: Wanted | None) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            members = [_member(entry) for entry in entries]
            check_members(members)
            _check_overlaps(entries)
            member = chosen(members, wanted)
            return _read(archive, entries[members.index(member)])
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError, RuntimeError) as error:
        raise UnreadableSubtitleError(f"a broken zip archive: {type(error).__name__}") from error


def _member(entry: zipfile.ZipInfo) -> Member:
    return Member(
        name=entry.filename,
        size=entry.file_size,
        is_plain=not entry.is_dir() and not stat.S_ISLNK(entry.external_attr >> 16),
        is_encrypted=bool(entry.flag_bits & _ENCRYPTED),
    )


def _check_overlaps(entries: Sequence[zipfile.ZipInfo]) -> None:
    # Entries that share bytes are how 33 KB hold 5 GB.
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise UnreadableSubtitleError("an archive whose files overlap")
        end = entry.header_offset + _LOCAL_HEADER + entry.compress_size


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    data = bytearray()
    with archive.open(entry) as file:
        while chunk := file.read(_CHUNK):
            data += chunk
            check_size(len(data), MAX_MEMBER_BYTES, "file in the archive")
    return bytes(data)
