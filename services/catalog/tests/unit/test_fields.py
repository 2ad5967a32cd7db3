"""Reading JSON that is not what its documentation says."""

from datetime import date

import pytest

from vod_catalog.fields import day, number, record, records, text, year


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (3, 3),
        ("3", 3),
        (" 12 ", 12),
        (True, None),
        (None, None),
        (1.5, None),
        ("³", None),
        (2**31, None),
        ("9" * 5000, None),
    ],
)
def test_numbers_may_be_strings(value: object, read: int | None) -> None:
    assert number(value) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2024-01-06", date(2024, 1, 6)),
        ("2024-01-06T00:00:00+00:00", date(2024, 1, 6)),
        ("", None),
        (None, None),
        ("2024", None),
        ("0000-00-00", None),
    ],
)
def test_a_date_is_what_an_iso_time_begins_with(value: object, read: date | None) -> None:
    assert day(value) == read
    assert year(value) == (read.year if read else None)


def test_a_text_holds_nothing_that_no_database_keeps() -> None:
    assert text(" a\0b\ud800c\n") == "abc"


def test_anything_else_is_empty() -> None:
    assert (text(None), text(7), record(None), record([]), records({}), records([1, {"a": 2}, None])) == (
        "",
        "",
        {},
        {},
        [],
        [{"a": 2}],
    )
