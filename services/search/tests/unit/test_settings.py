"""Settings as they come from the environment."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from vod_search.settings import Settings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_DSN", "postgresql://localhost/x")
    monkeypatch.setenv("REDIS_URL", "redis://localhost/0")


@pytest.mark.parametrize("text", ["1200", "PT20M", "00:20:00"])
def test_a_duration_is_seconds_or_iso(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CACHE_TTL", text)

    assert Settings().cache_ttl == timedelta(minutes=20)


@pytest.mark.parametrize("text", ["15", "3600", "soon"])
def test_the_cache_lives_ten_to_thirty_minutes(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("CACHE_TTL", text)

    with pytest.raises(ValidationError):
        Settings()


def test_secrets_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROWLARR_KEY", "0123456789abcdef")

    assert "0123456789abcdef" not in repr(Settings())
