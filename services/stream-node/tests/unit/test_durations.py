"""How long files play: real ones of PyAV, and what is made up to confuse."""

import struct
import tempfile
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.container import index_of
from vod_stream_node.durations import duration_of

SECONDS = 6
EBML = b"\x1a\x45\xdf\xa3"


def film(container: str, **options: str) -> bytes:
    """A film of six seconds."""
    with tempfile.NamedTemporaryFile() as written:
        _write(written.name, container, options)
        return Path(written.name).read_bytes()


def _write(path: str, container: str, options: dict[str, str]) -> None:
    with av.open(path, "w", format=container, options=options) as output:
        stream = output.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        for number in range(5 * SECONDS):
            picture = np.full((64, 64, 3), number, dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode())


@pytest.mark.parametrize(("container", "options"), [("matroska", {}), ("mp4", {"movflags": "faststart"})])
def test_a_file_that_begins_with_it_says_how_long_it_plays(container: str, options: dict[str, str]) -> None:
    assert duration_of(film(container, **options)[: 64 << 10]) == pytest.approx(SECONDS, abs=0.3)


def test_one_that_ends_with_its_index_says_it_there() -> None:
    made = film("mp4")
    index = index_of(made[: 64 << 10], len(made))

    assert index is not None
    assert duration_of(made[index.start : index.start + 4096]) == pytest.approx(SECONDS, abs=0.3)


def test_a_long_index_has_long_numbers() -> None:
    body = b"\1\0\0\0" + bytes(16) + struct.pack(">IQ", 1000, 7_200_000)
    moov = struct.pack(">I4s", 500, b"moov") + struct.pack(">I4s", 8 + len(body), b"mvhd") + body

    assert duration_of(moov) == 7200


@pytest.mark.parametrize("begin", [b"", b"RIFF....AVI ", EBML, EBML + b"\x9f", struct.pack(">I4s", 8, b"moov")])
def test_what_does_not_say_it_is_none(begin: bytes) -> None:
    assert duration_of(begin) is None


@given(head=st.binary(max_size=300), first=st.sampled_from([b"", EBML, struct.pack(">I4s", 8, b"moov")]))
def test_whatever_the_bytes_say_it_is_a_time_or_nothing(head: bytes, first: bytes) -> None:
    found = duration_of(first + head)

    assert found is None or 0 < found <= 7 * 24 * 3600


@given(cut=st.integers(0, 400), at=st.integers(0, 200), byte=st.integers(0, 255))
def test_a_damaged_head_is_no_trouble(cut: int, at: int, byte: int) -> None:
    damaged = bytearray(MATROSKA[:cut])
    if at < len(damaged):
        damaged[at] = byte

    duration_of(bytes(damaged))


MATROSKA = film("matroska")
