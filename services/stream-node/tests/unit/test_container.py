import struct

from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.container import index_of

SIZE = 1_000_000


def box(kind: bytes, length: int, body: bytes = b"") -> bytes:
    return struct.pack(">I4s", length, kind) + body


FTYP = box(b"ftyp", 24, bytes(16))


def test_an_mp4_with_its_index_at_the_end_needs_what_follows_the_media() -> None:
    head = FTYP + box(b"free", 8) + box(b"mdat", 900_000) + bytes(100)

    assert index_of(head, SIZE) == range(900_032, SIZE)


def test_media_of_more_than_four_gigabytes_has_a_long_length() -> None:
    head = FTYP + box(b"mdat", 1, struct.pack(">Q", 5 << 30)) + bytes(100)

    assert index_of(head, (5 << 30) + 100_024) == range((5 << 30) + 24, (5 << 30) + 100_024)


def test_an_mp4_with_its_index_in_front_needs_that() -> None:
    assert index_of(FTYP + box(b"moov", 5_000, bytes(100)), SIZE) == range(24, 5_024)


def test_matroska_needs_nothing_but_its_head() -> None:
    assert index_of(b"\x1a\x45\xdf\xa3" + bytes(60), SIZE) == range(0)


def test_what_can_not_be_told_yet_or_is_unknown_is_none() -> None:
    assert index_of(b"", SIZE) is None
    assert index_of(FTYP, SIZE) is None
    assert index_of(b"RIFF....AVI " + bytes(60), SIZE) is None
    assert index_of(FTYP + box(b"free", 500_000) + bytes(100), SIZE) is None


@given(
    head=st.binary(max_size=200), first=st.sampled_from([b"", FTYP, FTYP + box(b"mdat", 1)]), size=st.integers(1, 2**40)
)
def test_whatever_the_bytes_say_the_index_lies_in_the_file(head: bytes, first: bytes, size: int) -> None:
    found = index_of(first + head, size)

    assert found is None or 0 <= found.start <= size
    assert found is None or found.stop <= size
