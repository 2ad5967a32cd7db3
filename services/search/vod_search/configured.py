"""Indexers as the operator writes them into settings: one address after the other, with a name in front if wanted."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

LONGEST_NAME = 60
ENTRY = re.compile(r"(?:(?P<name>[^=\s/:?]+)=)?(?P<url>(?:https?|stremio)://\S+)", re.IGNORECASE)
# Jackett and its like have one address per indexer, with the indexer's name in it.
NAMED_IN_PATH = re.compile(r"/indexers/([^/]+)/results/torznab")


@dataclass(frozen=True, slots=True)
class Configured:
    """One address. It may contain secrets (Stremio add-ons keep their configuration in it), so it is not printed."""

    name: str
    url: str = field(repr=False)
    key: SecretStr = field(default_factory=lambda: SecretStr(""))


def torznab_entries(text: str, *, setting: str) -> tuple[Configured, ...]:
    """Read `Name=https://host/path?apikey=KEY …`; a path that does not end in `/api` gets it.

    Raises:
        ValueError: an entry is no such thing; the text says which one and why.
    """
    return tuple(_torznab(one, url) for one, url in _entries(text, setting=setting, schemes=("http", "https")))


def stremio_entries(text: str, *, setting: str) -> tuple[Configured, ...]:
    """Read `Name=https://host/…/manifest.json …`, or the same with `stremio:`; the url is the folder of the manifest.

    Raises:
        ValueError: an entry is no such thing; the text says which one and why.
    """
    found = _entries(text, setting=setting, schemes=("http", "https", "stremio"))
    return tuple(_stremio(one, url, setting=setting) for one, url in found)


def check_names(configured: Iterable[Configured]) -> None:
    """See that each name stands for one indexer.

    Raises:
        ValueError: two have the same.
    """
    seen: set[str] = set()
    for one in configured:
        if one.name in seen:
            raise ValueError(f"two indexers are called {one.name!r}: give each a name, as in Name=https://host/path")
        seen.add(one.name)


def check_address(url: str, *, setting: str) -> str:
    """Return *url* if it is the address of an HTTP server.

    Raises:
        ValueError: it is something else.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_address = False
    if not is_address:
        raise ValueError(f"{setting} must be an address such as http://127.0.0.1:9696")
    return url


def _entries(text: str, *, setting: str, schemes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Split *text* at white space into names (empty where there is none) and addresses."""
    entries = []
    for place, entry in enumerate(text.split(), 1):
        match = ENTRY.fullmatch(entry)
        if match is None or urlsplit(match["url"]).scheme not in schemes:
            raise ValueError(f"{setting}: entry {place} is not an address such as Name=https://host/path")
        check_address(re.sub(r"^stremio:", "https:", match["url"]), setting=f"{setting}: entry {place}")
        entries.append(((match["name"] or "")[:LONGEST_NAME], match["url"]))
    return entries


def _torznab(name: str, url: str) -> Configured:
    parts = urlsplit(url)
    fields = parse_qsl(parts.query)
    key = next((value for field_name, value in fields if field_name.lower() == "apikey"), "")
    kept = [pair for pair in fields if pair[0].lower() not in ("apikey", "t")]
    path = parts.path.rstrip("/")
    path = path if path.endswith("/api") else f"{path}/api"
    named = NAMED_IN_PATH.search(path)
    address = urlunsplit((parts.scheme, parts.netloc, path, urlencode(kept), ""))
    return Configured(name or (named[1] if named else _host(url)), address, SecretStr(key))


def _stremio(name: str, url: str, *, setting: str) -> Configured:
    address = re.sub(r"^stremio:", "https:", url).partition("?")[0]
    if not address.endswith("/manifest.json"):
        raise ValueError(f"{setting}: the address of an add-on ends in /manifest.json, that at {_host(url)} does not")
    return Configured(name or _host(url), address.removesuffix("manifest.json"))


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
