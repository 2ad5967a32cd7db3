"""Durations are read however people write them."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from vod_runtime import Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("900", 900), ("0.5", 0.5), ("15m", 900), ("1h30m", 5400), ("72H", 259_200), ("250ms", 0.25), ("PT15M", 900)],
)
def test_all_usual_forms_are_understood(text: str, seconds: float) -> None:
    assert timedelta(seconds=seconds) == TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize("text", ["soon", "15 parsecs", "m15", "", "1h30"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)
