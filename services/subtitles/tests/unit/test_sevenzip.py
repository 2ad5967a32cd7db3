"""RAR and 7z: read by 7-Zip within limits, whatever they hold."""

import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from vod_subtitles.archives import unpacked
from vod_subtitles.members import Wanted
from vod_subtitles.sevenzip import _program
from vod_subtitles.unreadable import UnreadableSubtitleError
from vod_subtitles.workers import workers

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHi\n"


def rar(files: dict[str, bytes], *, unix_mode: int = 0o100644) -> bytes:
    """A RAR archive (version 4) whose files are stored as they are.

    The form: https://codedread.github.io/bitjs/docs/unrar.html.
    """

    def block(kind: int, flags: int, body: bytes, data: bytes = b"") -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + data

    out = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for name, data in files.items():
        path = name.encode()
        sizes = struct.pack("<IIBII", len(data), len(data), 3, zlib.crc32(data), 0x5A21_0000)
        out += block(0x74, 0x8000, sizes + struct.pack("<BBHI", 20, 0x30, len(path), unix_mode) + path, data)
    return out + block(0x7B, 0x4000, b"")


def seven_zip(folder: Path, files: dict[str, bytes], *options: str) -> bytes:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    out = folder / "made.7z"
    command = [str(_program()), "a", "-bd", *options, str(out), *files]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=30)
    return out.read_bytes()


def test_the_subtitle_in_a_rar_is_read() -> None:
    assert unpacked(rar({"readme.nfo": b"x", "Subs/a.srt": SRT})) == SRT


def test_the_subtitle_in_a_7z_is_read(tmp_path: Path) -> None:
    assert unpacked(seven_zip(tmp_path, {"readme.nfo": b"x", "Subs/ä *.srt": SRT, "Subs/ä b.srt": b"other"})) == SRT


def test_of_a_season_the_wanted_episode_is_read(tmp_path: Path) -> None:
    season = {f"[Group] Show - {n:02} (1080p).srt": SRT.replace(b"Hi", b"Hi %d" % n) for n in (1, 2, 3)}

    assert unpacked(rar(season), wanted=Wanted(1, 2)) == season["[Group] Show - 02 (1080p).srt"]
    assert unpacked(seven_zip(tmp_path, season), wanted=Wanted(1, 3)) == season["[Group] Show - 03 (1080p).srt"]
    with pytest.raises(UnreadableSubtitleError, match="without the subtitle"):
        unpacked(rar(season), wanted=Wanted(1, 9))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSubtitleError, match="bytes"):
        unpacked(seven_zip(tmp_path, {"a.srt": b"\0" * 50_000_000}))


def test_a_locked_archive_is_refused(tmp_path: Path) -> None:
    locked = seven_zip(tmp_path, {"a.srt": SRT}, "-psecret")

    with pytest.raises(UnreadableSubtitleError, match="encrypted"):
        unpacked(locked)


def test_names_lead_nowhere_and_links_are_not_followed() -> None:
    assert unpacked(rar({"../../etc/cron.d/x.srt": SRT})) == SRT
    with pytest.raises(UnreadableSubtitleError, match="without the subtitle"):
        unpacked(rar({"a.srt": b"/etc/passwd"}, unix_mode=0o120777))


@pytest.mark.parametrize(
    "raw", [b"Rar!\x1a\x07\x01\x00" + b"x" * 100, b"7z\xbc\xaf\x27\x1c" + b"x" * 100, rar({"a.srt": SRT})[:-30]]
)
def test_broken_ones_are_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableSubtitleError):
        unpacked(raw)


async def test_the_worker_reads_them_within_its_limits(tmp_path: Path) -> None:
    async with workers(1) as some:
        from_rar = await some.convert(rar({"a.srt": SRT}), language="en")
        from_7z = await some.convert(seven_zip(tmp_path, {"a.srt": SRT}), language="en")

    assert from_rar.cue_count == from_7z.cue_count == 1
