import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.lane import wire

HELLO = wire.handshake(b"i" * 20, b"p" * 20)
places = st.integers(0, 2**32 - 1)


def framed(kind: int, body: bytes = b"") -> bytes:
    return struct.pack(">IB", 1 + len(body), kind) + body


def said(data: bytes) -> list[wire.Message]:
    """What an inbox makes of bytes that follow a handshake."""
    return list(wire.Inbox().feed(HELLO + data))[1:]


def test_a_handshake_is_read_as_it_was_written() -> None:
    assert list(wire.Inbox().feed(HELLO)) == [wire.Handshake(infohash=b"i" * 20, peer_id=b"p" * 20, fast=True)]


def test_each_message_that_matters_is_read_and_the_others_are_skipped() -> None:
    data = b"".join(
        [
            wire.KEEP_ALIVE,
            framed(0),
            framed(1),
            framed(20, b"an extension"),
            framed(4, struct.pack(">I", 7)),
            framed(5, b"\xf0"),
            framed(14),
            framed(15),
            framed(16, struct.pack(">III", 1, 2, 3)),
            framed(7, struct.pack(">II", 4, 5) + b"data"),
        ]
    )

    assert said(data) == [
        wire.Choked(),
        wire.Unchoked(),
        wire.Have(7),
        wire.HaveMany(b"\xf0"),
        wire.HaveAll(),
        wire.HaveMany(b""),
        wire.Rejected(1, 2, 3),
        wire.Data(4, 5, b"data"),
    ]


def test_requests_and_cancels_are_as_bep_3_has_them() -> None:
    assert wire.request(1, 2, 3) == framed(6, struct.pack(">III", 1, 2, 3))
    assert wire.cancel(1, 2, 3) == framed(8, struct.pack(">III", 1, 2, 3))


@given(cuts=st.lists(st.integers(0, 400), max_size=8), piece=places, begin=places, data=st.binary(max_size=200))
def test_it_does_not_matter_how_the_bytes_are_cut(cuts: list[int], piece: int, begin: int, data: bytes) -> None:
    stream = HELLO + framed(7, struct.pack(">II", piece, begin) + data) + framed(4, struct.pack(">I", piece))
    inbox, found, at = wire.Inbox(), [], 0

    for cut in [*sorted(cuts), len(stream)]:
        found += list(inbox.feed(stream[at:cut]))
        at = max(at, cut)

    assert found[1:] == [wire.Data(piece, begin, data), wire.Have(piece)]


@given(cuts=st.lists(st.integers(0, 300), max_size=8), size=st.integers(0, 100))
def test_bytes_of_data_are_counted_as_they_come_and_others_are_not(cuts: list[int], size: int) -> None:
    block, others = framed(7, bytes(8 + size)), (framed(20, bytes(70)), wire.KEEP_ALIVE + framed(4, bytes(4)))
    stream = others[0] + block + others[1] + block
    inbox, at, counted = wire.Inbox(), 0, []
    list(inbox.feed(HELLO))

    for cut in [*sorted(cuts), len(stream)]:
        list(inbox.feed(stream[at:cut]))
        at = max(at, cut)
        counted.append((at, inbox.data_bytes))

    begins = (len(others[0]), len(stream) - len(block))
    expected = [(at, sum(min(len(block), at - begin) for begin in begins if at - begin > 4)) for at, _ in counted]
    assert counted == expected


@pytest.mark.parametrize(
    "data", [framed(4, b"\0"), framed(7, b"\0"), framed(16), struct.pack(">I", wire.MAX_MESSAGE + 1)]
)
def test_nonsense_ends_the_connection(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        said(data)


@given(data=st.binary(max_size=300))
def test_no_bytes_of_a_stranger_do_more_than_end_the_connection(data: bytes) -> None:
    for stream in (data, HELLO + data):
        try:
            list(wire.Inbox().feed(stream))
        except wire.WireError:
            continue


def test_what_is_not_bittorrent_is_refused() -> None:
    with pytest.raises(wire.WireError):
        list(wire.Inbox().feed(b"HTTP/1.1 400 Bad Request\r\n".ljust(68)))
