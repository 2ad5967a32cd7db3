"""Waiting ends as soon as it can, and says why it did not."""

import pytest

from vod_testing import eventually


async def test_it_returns_as_soon_as_there_is_no_reason_left() -> None:
    reasons: list[str | None] = ["cold", "lukewarm", None, "never asked"]

    await eventually(lambda: reasons.pop(0), within=30)

    assert reasons == ["never asked"]


async def test_it_fails_with_the_last_reason() -> None:
    with pytest.raises(AssertionError, match="still cold"):
        await eventually(lambda: "still cold", within=0)
