"""Indexers as an operator writes them."""

import pytest
from pydantic import ValidationError

from vod_search.configured import stremio_entries, torznab_entries
from vod_search.settings import Settings


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PG_DSN", "postgresql://localhost/x")
    monkeypatch.setenv("REDIS_URL", "redis://localhost/0")


@pytest.mark.parametrize(
    ("text", "name", "url", "key"),
    [
        ("http://lamps.example/api?apikey=k", "lamps.example", "http://lamps.example/api", "k"),
        ("https://lamps.example:9/", "lamps.example:9", "https://lamps.example:9/api", ""),
        ("Lamps=http://lamps.example/1/?t=caps&apikey=k", "Lamps", "http://lamps.example/1/api", "k"),
        (
            "http://127.0.0.1:9117/api/v2.0/indexers/lamps/results/torznab/",
            "lamps",
            "http://127.0.0.1:9117/api/v2.0/indexers/lamps/results/torznab/api",
            "",
        ),
        ("http://me:pw@lamps.example/api?x=1", "lamps.example", "http://me:pw@lamps.example/api?x=1", ""),
    ],
)
def test_a_torznab_address_is_written_as_it_is_copied(text: str, name: str, url: str, key: str) -> None:
    (found,) = torznab_entries(text, setting="X")

    assert (found.name, found.url, found.key.get_secret_value()) == (name, url, key)


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("https://lamps.example/manifest.json", "lamps.example", "https://lamps.example/"),
        ("stremio://lamps.example/a=b,c|d=e/manifest.json", "lamps.example", "https://lamps.example/a=b,c|d=e/"),
        ("Lamps=http://127.0.0.1:7000/manifest.json", "Lamps", "http://127.0.0.1:7000/"),
    ],
)
def test_an_add_on_is_written_as_it_is_copied(text: str, name: str, url: str) -> None:
    (found,) = stremio_entries(text, setting="X")

    assert (found.name, found.url) == (name, url)


def test_several_are_separated_by_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOD_TORZNAB_URLS", " A=http://a.example/api\n  B=http://b.example/api ")

    assert [one.name for one in Settings().torznab] == ["A", "B"]


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("VOD_TORZNAB_URLS", "http://a.example/api sekret", "VOD_TORZNAB_URLS: entry 2 is not an address"),
        ("VOD_TORZNAB_URLS", "ftp://a.example/sekret", "VOD_TORZNAB_URLS: entry 1 is not an address"),
        ("VOD_TORZNAB_URLS", "http:///api?apikey=sekret", "VOD_TORZNAB_URLS: entry 1 must be an address"),
        ("VOD_TORZNAB_URLS", "http://a.example:99999/sekret", "VOD_TORZNAB_URLS: entry 1 must be an address"),
        ("VOD_TORZNAB_URLS", "stremio://a.example/manifest.json", "VOD_TORZNAB_URLS: entry 1 is not an address"),
        ("VOD_TORZNAB_URLS", "http://a.example/x?apikey=sekret http://a.example/y", "two indexers are called"),
        ("VOD_STREMIO_ADDONS", "http://a.example/sekret", "the address of an add-on ends in /manifest.json"),
        ("PROWLARR_URL", "prowlarr:9696", "PROWLARR_URL must be an address"),
        ("VOD_IA_BASE", "archive.org", "VOD_IA_BASE must be an address"),
    ],
)
def test_a_bad_entry_is_told_in_a_sentence_without_secrets(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, text)

    with pytest.raises(ValidationError) as failure:
        Settings()

    assert sentence in str(failure.value)
    assert "sekret" not in str(failure.value)


def test_addresses_do_not_print(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOD_TORZNAB_URLS", "http://a.example/api?apikey=sekret")
    monkeypatch.setenv("VOD_STREMIO_ADDONS", "http://a.example:1/sekret/manifest.json")

    settings = Settings()

    assert "sekret" not in f"{settings!r} {settings.torznab!r} {settings.stremio!r}"
