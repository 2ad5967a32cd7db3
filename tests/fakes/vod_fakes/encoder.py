"""Encodes one video file of the demo library: a moving test card and a tone. Runs in processes of its own.

The parent (`media.py`) never imports this, so that numpy, Pillow and FFmpeg leave the memory when all is made.
`python -m vod_fakes.encoder FOLDER PROFILE` reads `release TAB path` per line and answers each with its line.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from vod_fakes.library import LIBRARY
from vod_fakes.media import FPS, Profile, bytes_wanted, location, seconds_of, unfinished
from vod_fakes.shapes import Clip, Container

_RATE = 48_000
_AUDIO_BITS = 64_000
_QUANTISER = 24
_BLACK, _WHITE = 16, 235
_BARS = ("#c0c0c0", "#c0c000", "#00c0c0", "#00c000", "#c000c0", "#c00000", "#0000c0")

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things are on the card, in pixels (tops and heights)."""

    panel: int
    clock: int
    clock_height: int
    lane: int
    lane_height: int
    snow: int


def _layout(height: int) -> _Layout:
    line = height // 48 * 2
    return _Layout(
        panel=line * 10,
        clock=line * 15,
        clock_height=line * 3,
        lane=line * 18 + line // 2,
        lane_height=line,
        snow=line * 20,
    )


def _snow_rows(clip: Clip, profile: Profile) -> int:
    """How many rows of snow give the file its size: at this quantiser a pixel of snow is 5.7 bits, measured."""
    per_frame = bytes_wanted(clip, profile) / (seconds_of(clip, profile) * FPS)
    without = clip.height * 2.1 + _AUDIO_BITS / 8 / FPS
    rows = (per_frame - without) * 8 / (5.7 * clip.width)
    return min(max(2, round(rows)), clip.height // 8)


def _card(clip: Clip, layout: _Layout) -> Image.Image:
    """Draw what does not move: colour bars, and the title on a black panel."""
    image = Image.new("RGB", (clip.width, clip.height), "black")
    draw = ImageDraw.Draw(image)
    bar = clip.width / len(_BARS)
    for n, colour in enumerate(_BARS):
        draw.rectangle((round(n * bar), 0, round((n + 1) * bar), layout.panel - 1), fill=colour)
    line = layout.lane_height
    left = line * 2
    draw.text((left, layout.panel + line // 2), clip.headline, fill="white", font=ImageFont.load_default(line * 2))
    draw.text((left, layout.panel + line * 3), clip.caption, fill="white", font=ImageFont.load_default(line * 1.25))
    return image


def _digits(height: int) -> dict[str, Luma]:
    """Draw the characters of the time code once, all of one width."""
    font = ImageFont.load_default(height * 0.9)
    cell = height * 5 // 8 // 2 * 2
    drawn: dict[str, Luma] = {}
    for character in "0123456789:.":
        image = Image.new("L", (cell, height), _BLACK)
        ImageDraw.Draw(image).text((cell // 2, height // 2), character, fill=_WHITE, font=font, anchor="mm")
        drawn[character] = np.asarray(image)
    return drawn


class _Card:
    """The test card as a frame that changes in place: x264 copies what it is given before it returns."""

    def __init__(self, clip: Clip, snow_rows: int) -> None:
        self._layout = _layout(clip.height)
        still = av.VideoFrame.from_ndarray(np.asarray(_card(clip, self._layout)), format="rgb24").reformat(
            format="yuv420p"
        )
        self._frame = av.VideoFrame(clip.width, clip.height, "yuv420p")
        for source, target in zip(still.planes, self._frame.planes, strict=True):
            target.update(bytes(source))
        plane = self._frame.planes[0]
        self._luma = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : clip.width]
        self._width = clip.width
        self._snow_rows = snow_rows
        self._digits = _digits(self._layout.clock_height)
        # seeded by the file's name: the same library is the same bytes, hence the same infohashes, everywhere
        self._random = np.random.default_rng(list(clip.path.encode()))
        self._snow = self._random.integers(_BLACK, _WHITE, (512, 2 * clip.width), np.uint8)

    def at(self, number: int) -> av.VideoFrame:
        """Move to frame `number`."""
        self._write_clock(number)
        self._move_box(number)
        self._snow_anew()
        self._frame.pts = number
        self._frame.time_base = Fraction(1, FPS)
        return self._frame

    def _write_clock(self, number: int) -> None:
        seconds, frame = divmod(number, FPS)
        text = f"{seconds // 60:02d}:{seconds % 60:02d}.{frame:02d}"
        picture = np.hstack([self._digits[character] for character in text])
        left, top = self._layout.lane_height * 2, self._layout.clock
        self._luma[top : top + picture.shape[0], left : left + picture.shape[1]] = picture

    def _move_box(self, number: int) -> None:
        lane = self._luma[self._layout.lane : self._layout.lane + self._layout.lane_height]
        lane[:] = _BLACK
        size = self._layout.lane_height * 2
        left = number * size // 8 % (self._width - size)
        lane[:, left : left + size] = _WHITE

    def _snow_anew(self) -> None:
        """Show other snow: it cannot be compressed, so files get the size that their name promises."""
        rows = self._snow_rows
        down = int(self._random.integers(0, self._snow.shape[0] - rows))
        right = int(self._random.integers(0, self._width))
        self._luma[self._layout.snow : self._layout.snow + rows] = self._snow[
            down : down + rows, right : right + self._width
        ]


def _tone(hertz: int, second: int) -> av.AudioFrame:
    """Make one second of the tone, a little louder at its start so that seconds can be heard."""
    at = np.arange(_RATE) / _RATE
    wave = np.sin(2 * np.pi * hertz * at) * np.where(at < 0.1, 0.2, 0.08)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None, :], format="fltp", layout="mono")
    frame.sample_rate = _RATE
    frame.time_base = Fraction(1, _RATE)
    frame.pts = second * _RATE
    return frame


def _options(container: Container) -> dict[str, str]:
    # bitexact leaves out dates and random ids
    options = {"fflags": "+bitexact"}
    if container is Container.MP4_FASTSTART:
        options["movflags"] = "+faststart"
    return options


def encode(clip: Clip, profile: Profile, target: Path) -> None:
    """Write one clip; the file appears complete or not at all. About 2.5 CPU seconds for 48 s of 1080p."""
    target.parent.mkdir(parents=True, exist_ok=True)
    growing = unfinished(target)
    kind = "matroska" if clip.container is Container.MKV else "mp4"
    try:
        with av.open(str(growing), "w", format=kind, options=_options(clip.container)) as output:
            for packet in _packets(output, clip, profile):
                output.mux(packet)
        growing.replace(target)
    finally:
        growing.unlink(missing_ok=True)


def _packets(output: av.container.OutputContainer, clip: Clip, profile: Profile) -> Iterator[av.Packet[Any]]:
    """Encode second by second, so that picture and sound lie side by side in the file."""
    seconds = seconds_of(clip, profile)
    video = output.add_stream("libx264", rate=FPS)
    video.width, video.height, video.pix_fmt = clip.width, clip.height, "yuv420p"
    video.gop_size = 2 * FPS
    # one thread: the same bytes on every machine; a fixed quantiser: the snow alone decides the size
    video.thread_count = 1
    video.options = {"preset": "ultrafast", "qp": str(_QUANTISER), "x264-params": "scenecut=0"}
    audio = output.add_stream("aac", rate=_RATE, layout="mono")
    audio.bit_rate = _AUDIO_BITS
    audio.options = {"aac_coder": "fast"}
    spoken = _spoken(output, clip, seconds)
    card = _Card(clip, _snow_rows(clip, profile))
    for second in range(seconds):
        yield from spoken.get(second, ())
        for number in range(second * FPS, (second + 1) * FPS):
            yield from video.encode(card.at(number))
        yield from audio.encode(_tone(clip.tone_hz, second))
    yield from video.encode()
    yield from audio.encode()


def _spoken(output: av.container.OutputContainer, clip: Clip, seconds: int) -> dict[int, list[av.Packet[Any]]]:
    """Add what is said as a SubRip track; return its packets by the second in which they begin."""
    packets: dict[int, list[av.Packet[Any]]] = {}
    if not clip.lines:
        return packets
    step = seconds * 1000 // len(clip.lines)
    cues = [
        f"{n + 1}\n{_time(n * step)} --> {_time((n + 1) * step - 200)}\n{line}\n" for n, line in enumerate(clip.lines)
    ]
    with av.open(io.BytesIO("\n".join(cues).encode()), "r", format="srt") as source:
        track = output.add_stream_from_template(source.streams.subtitles[0])
        track.metadata["language"] = "eng"
        for packet in source.demux():
            if packet.size and packet.pts is not None and packet.time_base is not None:
                second = int(packet.pts * packet.time_base)
                packet.stream = track
                packets.setdefault(second, []).append(packet)
    return packets


def _time(ms: int) -> str:
    return f"00:{ms // 60_000:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def main() -> None:
    """Encode what stdin asks for until it ends."""
    folder, profile = Path(sys.argv[1]), Profile(sys.argv[2])
    for line in sys.stdin:
        name, path = line.rstrip("\n").split("\t")
        release = LIBRARY.release(name)
        clip = next(clip for clip in release.clips if clip.path == path)
        encode(clip, profile, folder / location(release, clip))
        sys.stdout.write(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
