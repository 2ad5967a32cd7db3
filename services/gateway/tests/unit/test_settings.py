"""What the environment may say."""

import pytest
from pydantic import ValidationError

from vod_gateway.settings import Settings

NEEDED = {
    "VOD_SECRET_KEY": "a-secret-key-of-the-tests",
    "VOD_PLAYBACK_TARGET": "unix:/p",
    "VOD_CATALOG_TARGET": "unix:/c",
    "VOD_SUBTITLES_TARGET": "unix:/s",
    "VOD_PICKS_TARGET": "unix:/k",
    "VOD_STREAM_NODE_TARGET": "unix:/n",
    "VOD_SOURCES_TARGET": "unix:/o",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_lists_are_comma_separated(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CORS_ORIGINS", "https://ui.example, http://localhost:3000")
    environment.setenv("VOD_TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.1")
    settings = Settings()

    assert settings.cors_origins == ("https://ui.example", "http://localhost:3000")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "192.0.2.1/32"]


def test_an_empty_admin_key_is_no_admin_key(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VOD_ADMIN_KEY", "")

    assert Settings().admin_key is None


@pytest.mark.parametrize(
    "origin", ["*", "https://*.example", "ui.example", "https://ui.example/", "null", "ftp://ui.example"]
)
def test_what_is_not_an_exact_origin_is_refused(environment: pytest.MonkeyPatch, origin: str) -> None:
    environment.setenv("CORS_ORIGINS", origin)

    with pytest.raises(ValidationError, match="is not an origin"):
        Settings()


def test_a_short_secret_is_refused_without_being_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("VOD_SECRET_KEY", "short-secret")

    with pytest.raises(ValidationError) as caught:
        Settings()
    assert "short-secret" not in str(caught.value)
