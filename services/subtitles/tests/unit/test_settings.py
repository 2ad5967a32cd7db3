"""What is read from the environment."""

import pytest
from pydantic import ValidationError

from vod_subtitles.settings import Settings


def test_languages_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_DSN", "postgresql://")
    monkeypatch.setenv("VOD_SUBTITLE_LANGUAGES", "de, pt-BR")
    monkeypatch.setenv("OS_KEY", "")

    settings = Settings()  # type: ignore[call-arg]  # they come from the environment

    assert (settings.languages, settings.os_key) == (("de", "pt"), None)


def test_a_wrong_language_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_DSN", "postgresql://")
    monkeypatch.setenv("VOD_SUBTITLE_LANGUAGES", "german")

    with pytest.raises(ValidationError, match="ISO 639-1"):
        Settings()  # type: ignore[call-arg]
