import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.ranges import Part, Selection, Several, Unsatisfiable, Whole, select

ETAG = '"tag"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", Part(0, 0)),
        ("bytes=0-99", Part(0, 99)),
        ("bytes=0-100", Part(0, 99)),
        ("bytes=99-", Part(99, 99)),
        ("bytes=-1", Part(99, 99)),
        ("bytes=-100", Part(0, 99)),
        ("bytes=-101", Part(0, 99)),
        ("bytes=007-0008", Part(7, 8)),
        ("Bytes= 5-6 ,", Part(5, 6)),
        ("bytes=100-", Unsatisfiable()),
        ("bytes=-0", Unsatisfiable()),
        ("bytes=100-200", Unsatisfiable()),
        ("bytes=" + "9" * 5000 + "-", Unsatisfiable()),
        ("bytes=1-" + "9" * 5000, Part(1, 99)),
        ("bytes=-" + "9" * 5000, Part(0, 99)),
        ("bytes=5-4", Whole()),
        ("bytes=-", Whole()),
        ("bytes=", Whole()),
        ("bytes", Whole()),
        ("bytes=a-b", Whole()),
        ("bytes=+1-2", Whole()),
        ("bytes=\u0661-\u0662", Whole()),
        ("bytes=1 - 2", Whole()),
        ("bytes=--1", Whole()),
        ("items=0-1", Whole()),
        ("bytes=0-1,5-6", Several((Part(0, 1), Part(5, 6)))),
        ("bytes=5-6, 0-1", Several((Part(5, 6), Part(0, 1)))),
        ("bytes=0-1,2-3", Part(0, 3)),
        ("bytes=0-9,5-14,-1", Several((Part(0, 14), Part(99, 99)))),
        ("bytes=0-4,20-24,3-22", Part(0, 24)),
        ("bytes=0-1,200-300", Part(0, 1)),
        ("bytes=200-,300-", Unsatisfiable()),
        ("bytes=0-1,9-8", Whole()),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 32, 2)), Several(tuple(Part(n, n) for n in range(0, 32, 2)))),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 34, 2)), Whole()),
        ("bytes=" + "0-0," * 100_000, Whole()),
        ("", Whole()),
        (None, Whole()),
    ],
)
def test_a_range_header_selects_what_rfc_9110_says_of_100_bytes(header: str | None, expected: Selection) -> None:
    selected = select(header, None, etag=ETAG, size=100)

    assert expected == selected


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_no_range_of_an_empty_file_can_be_satisfied(header: str) -> None:
    selected = select(header, None, etag=ETAG, size=0)

    assert Unsatisfiable() == selected


@pytest.mark.parametrize(
    ("if_range", "expected"),
    [
        (ETAG, Part(5, 9)),
        (f" {ETAG} ", Part(5, 9)),
        ('"other"', Whole()),
        (f"W/{ETAG}", Whole()),
        ("Sat, 21 Nov 2026 00:20:54 GMT", Whole()),
        ("", Whole()),
    ],
)
def test_if_range_holds_with_the_strong_etag_only(if_range: str, expected: Selection) -> None:
    selected = select("bytes=5-9", if_range, etag=ETAG, size=100)

    assert expected == selected


@given(data=st.binary(min_size=1, max_size=60), first=st.integers(0, 70), last=st.integers(0, 70) | st.none())
def test_an_int_range_is_the_slice_of_the_same_bytes(data: bytes, first: int, last: int | None) -> None:
    expected = data[first:] if last is None else data[first : last + 1]

    selected = select(f"bytes={first}-{'' if last is None else last}", None, etag=ETAG, size=len(data))

    assert expected == _bytes(selected, data, ignored=last is not None and first > last)


@given(data=st.binary(min_size=1, max_size=60), length=st.integers(0, 70))
def test_a_suffix_range_is_the_last_bytes(data: bytes, length: int) -> None:
    expected = data[max(0, len(data) - length) :] if length else b""

    selected = select(f"bytes=-{length}", None, etag=ETAG, size=len(data))

    assert expected == _bytes(selected, data)


@given(header=st.text(alphabet="bytes=0123456789-, \tx", max_size=30), size=st.integers(0, 50))
def test_whatever_is_sent_the_answer_lies_within_the_file(header: str, size: int) -> None:
    selected = select(header, None, etag=ETAG, size=size)

    assert not isinstance(selected, Part) or 0 <= selected.first <= selected.last < size


def _bytes(selected: Selection, data: bytes, *, ignored: bool = False) -> bytes:
    match selected:
        case Part(first, last):
            return data[first : last + 1]
        case Unsatisfiable():
            return b""
        case Whole():
            assert ignored
            return b""
