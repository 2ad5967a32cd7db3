"""What a stream node talks about: torrents' layouts, pins, and which files may be streamed at all."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice
from operator import attrgetter
from pathlib import PurePosixPath
from typing import NewType

from vod_stream_node.errors import FileIndexOutOfRange, FileNotPlayable, InfohashInvalid, TorrentRefused

Infohash = NewType("Infohash", str)
"""What a torrent is called: 40 lower-case hex digits, the SHA-1 of its info dictionary (BEP 3), or the first half of
its SHA-256 where the torrent is v2 only (BEP 52)."""

PieceData = bytes | bytearray
"""A piece that was put together as it came stays in the buffer it grew in: nobody changes it any more."""

MAX_FILES = 5_000
MIN_PIECE_BYTES, MAX_PIECE_BYTES = 1 << 10, 64 << 20

CONTENT_TYPES = {
    ".mkv": "video/x-matroska",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".webm": "video/webm",
    ".avi": "video/x-msvideo",
    ".mov": "video/quicktime",
    ".ts": "video/mp2t",
    ".m2ts": "video/mp2t",
    ".mts": "video/mp2t",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".vob": "video/mpeg",
    ".wmv": "video/x-ms-wmv",
    ".flv": "video/x-flv",
    ".ogv": "video/ogg",
    ".ogm": "video/ogg",
    ".3gp": "video/3gpp",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".ac3": "audio/ac3",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".ass": "text/x-ssa",
    ".ssa": "text/x-ssa",
    ".sub": "text/plain",
    ".idx": "text/plain",
}
"""The only files that are ever streamed, by the end of their name, and what they are called in HTTP.

A list of what is allowed, not of what is dangerous: nobody can list all that some machine would execute.
"""


class Purpose(Enum):
    """What a holder wants a file for."""

    CURRENT = "current"
    NEXT = "next"


class PinState(Enum):
    """How far a pinned file has come; each state implies the ones before it."""

    CONNECTING = "connecting"
    BUFFERING = "buffering"
    READY = "ready"
    COMPLETE = "complete"


class TorrentState(Enum):
    """How a torrent is doing in the session; `torrent.py` says what moves it on."""

    CONNECTING = "connecting"
    CHECKING = "checking"
    ACTIVE = "active"
    REFUSED = "refused"
    CLOSED = "closed"


class WaitFor(Enum):
    """What EnsurePin waits for before it returns."""

    NOTHING = "nothing"
    METADATA = "metadata"
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class TorrentFile:
    """One file of a torrent."""

    index: int
    path: str
    """Inside the torrent, `/`-separated, cleaned by libtorrent."""
    size: int
    """Bytes."""
    offset: int
    """Where it begins in the torrent's bytes."""
    regular: bool = True
    """False for symbolic links and padding."""

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    @property
    def content_type(self) -> str | None:
        """Media type, None when the file is nothing that we stream."""
        return CONTENT_TYPES.get(PurePosixPath(self.path).suffix.lower()) if self.regular else None


@dataclass(frozen=True, slots=True)
class Layout:
    """What is in a torrent: its files, one after the other, cut into pieces of equal length."""

    piece_length: int
    files: tuple[TorrentFile, ...]

    @property
    def size(self) -> int:
        return self.files[-1].offset + self.files[-1].size

    def piece_size(self, piece: int) -> int:
        """Return the bytes of a piece; the last one may be shorter."""
        return min(self.piece_length, self.size - piece * self.piece_length)

    def pieces(self, file: TorrentFile) -> range:
        """Return the pieces that hold a file; the first and the last may hold its neighbours too."""
        if not file.size:
            return range(0)
        return range(file.offset // self.piece_length, (file.offset + file.size - 1) // self.piece_length + 1)

    def files_in(self, piece: int) -> Iterator[TorrentFile]:
        """Yield the files that have bytes in a piece."""
        begin = piece * self.piece_length
        first = bisect_right(self.files, begin, key=attrgetter("offset")) - 1
        for file in islice(self.files, first, None):
            if file.offset >= begin + self.piece_length:
                return
            if file.size:
                yield file

    def bytes_in(self, file: TorrentFile, piece: int) -> int:
        """Return how many bytes of a file lie in a piece."""
        begin = max(file.offset, piece * self.piece_length)
        end = min(file.offset + file.size, (piece + 1) * self.piece_length)
        return max(0, end - begin)

    def playable(self, index: int) -> TorrentFile:
        """Return the file at *index*.

        Raises:
            FileIndexOutOfRange: there is no such file.
            FileNotPlayable: it is not media.
        """
        if not 0 <= index < len(self.files):
            raise FileIndexOutOfRange(
                f"There is no file {index}; the torrent has {len(self.files)}.",
                metadata={"file_index": str(index), "files": str(len(self.files))},
            )
        file = self.files[index]
        if file.content_type is None:
            raise FileNotPlayable(f"File {index} is not media.", metadata={"file_index": str(index)})
        return file


@dataclass(frozen=True, slots=True)
class PinKey:
    """Which file of which torrent."""

    infohash: Infohash
    file_index: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One holder's hold on a pinned file."""

    purpose: Purpose
    expires_at: datetime
    ttl: timedelta
    """How long it lasts from each time it is asked for or read."""


@dataclass(frozen=True, slots=True)
class PinRequest:
    """What EnsurePin was asked."""

    key: PinKey
    magnet: str
    """Rebuilt, see `magnets.rebuild`; secret, trackers may carry a passkey."""
    holder: str
    purpose: Purpose
    wait_for: WaitFor
    ttl: timedelta
    torrent: bytes = field(default=b"", repr=False)
    """The content of a .torrent, if the caller had one."""


@dataclass(frozen=True, slots=True)
class Stats:
    """A torrent's traffic now."""

    peers: int
    download_rate: int
    """Bytes per second."""
    upload_rate: int = 0
    given: int = 0
    """Bytes to other peers, ever."""
    taken: int = 0
    """Bytes from them, ever."""
    distinct_copies: float = 0.0
    """Copies of the torrent among the connected peers, whole and part."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """What a file's viewers have, now."""

    readers: int
    buffered_bytes: int
    """Ahead of the viewer who has the least, without a gap."""
    media_rate: float | None
    """Bytes of the file that are watched in a second, on average; None: not known."""
    window_pieces: int
    """Pieces of the torrent that are wanted soon and not here."""
    stalls: int
    """How often a viewer waited too long."""

    @property
    def buffered(self) -> timedelta | None:
        """How long the viewer who has the least can watch what is ahead of him; None: not known."""
        return timedelta(seconds=self.buffered_bytes / self.media_rate) if self.media_rate else None


@dataclass(frozen=True, slots=True)
class PinStatus:
    """A pin as it is now."""

    key: PinKey
    state: PinState
    file: TorrentFile | None
    """None until the swarm has told what is in the torrent."""
    downloaded_bytes: int
    """Verified bytes of this file."""
    stats: Stats
    """Of the whole torrent."""
    viewing: Viewing
    claims: dict[str, Claim]


def parse_infohash(text: str) -> Infohash:
    """Return *text* as an infohash, in lower case.

    Raises:
        InfohashInvalid: it is not 40 hex digits. (This also keeps everything else out of the paths made of it.)
    """
    if not re.fullmatch(r"[0-9a-fA-F]{40}", text):
        raise InfohashInvalid("An infohash is 40 hex digits.")
    return Infohash(text.lower())


def short(infohash: Infohash) -> str:
    """Return an infohash as it may stand in a log."""
    return infohash[:12]


def check_layout(layout: Layout) -> None:
    """Refuse metadata that is made to hurt.

    Raises:
        TorrentRefused: too many files, no bytes, or pieces of a size that no honest torrent has.
    """
    if len(layout.files) > MAX_FILES:
        raise TorrentRefused(f"The torrent has more than {MAX_FILES} files.", metadata={"limit": str(MAX_FILES)})
    if layout.piece_length > MAX_PIECE_BYTES:
        raise TorrentRefused("The torrent's pieces are too large.", metadata={"limit": str(MAX_PIECE_BYTES)})
    if layout.piece_length < MIN_PIECE_BYTES:
        raise TorrentRefused("The torrent's pieces are too small.", metadata={"limit": str(MIN_PIECE_BYTES)})
    if not layout.files or not layout.size:
        raise TorrentRefused("The torrent is empty.")
