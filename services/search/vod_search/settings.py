"""What search reads from the environment."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from vod_runtime import Duration
from vod_search.configured import Configured, check_address, check_names, stremio_entries, torznab_entries


class Settings(BaseSettings):
    """Settings of search; every field names its variable. Durations are like `15m`, `900` or `PT15M`."""

    model_config = SettingsConfigDict(
        frozen=True,
        populate_by_name=True,
        extra="ignore",
        env_ignore_empty=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    listen: str = Field(default="127.0.0.1:7014", validation_alias="VOD_SEARCH_LISTEN")
    """Where search answers gRPC: `host:port` or `unix:/path`."""
    pg_dsn: SecretStr = Field(validation_alias="PG_DSN")
    """The database; search acts as the role `vod_search` in the schema `search`."""
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    """The hot cache in front of the table; search works without it, only slower."""
    prowlarr_url: str | None = Field(default=None, validation_alias="PROWLARR_URL")
    """The base address of Prowlarr, whose enabled torrent indexers are asked."""
    prowlarr_key: SecretStr = Field(default=SecretStr(""), validation_alias="PROWLARR_KEY")
    """Prowlarr's API key (Settings, General)."""
    torznab_urls: SecretStr = Field(default=SecretStr(""), validation_alias="VOD_TORZNAB_URLS")
    """Torznab addresses to ask, separated by spaces: `Name=https://host/path?apikey=KEY`; the name may be left out."""
    stremio_addons: SecretStr = Field(default=SecretStr(""), validation_alias="VOD_STREMIO_ADDONS")
    """Stremio add-ons whose torrents are listed, separated by spaces: `Name=https://host/manifest.json`."""
    archive: bool = Field(default=True, validation_alias="VOD_SEARCH_INTERNET_ARCHIVE")
    """Find open films at the Internet Archive."""
    archive_base: str = Field(default="https://archive.org", validation_alias="VOD_IA_BASE")
    """Base address of the Internet Archive."""
    archive_items: str = Field(default="", validation_alias="VOD_IA_ITEMS")
    """Further identifiers of open films there, comma-separated; each must state an open licence of its own."""
    mirrors: Path | None = Field(default=None, validation_alias="VOD_SOURCES_MIRRORS")
    """The operator's own list, whose torrents are found here: a JSON file, or a folder of `.strm` files."""
    private_hosts: str = Field(default="", validation_alias="VOD_SOURCES_PRIVATE_HOSTS")
    """`host:port`s with private addresses that the list may name, comma-separated; all others are refused."""
    cache_ttl: Duration = Field(
        default=timedelta(minutes=15), ge=timedelta(minutes=10), le=timedelta(minutes=30), validation_alias="CACHE_TTL"
    )
    """How long a search that everybody answered stays good, 10 to 30 minutes."""
    indexer_deadline: Duration = Field(
        default=timedelta(seconds=4), gt=timedelta(0), validation_alias="VOD_SEARCH_INDEXER_DEADLINE"
    )
    """How long one indexer may take."""
    allow_private_peers: bool = Field(default=False, validation_alias="VOD_ALLOW_PRIVATE_PEERS")
    """Keep trackers on private addresses in magnets, for the demo and for tests."""

    @model_validator(mode="after")
    def _are_addresses(self) -> Self:
        if self.prowlarr_url is not None:
            check_address(self.prowlarr_url, setting="PROWLARR_URL")
        check_address(self.archive_base, setting="VOD_IA_BASE")
        check_names([*self.torznab, *self.stremio])
        return self

    @property
    def torznab(self) -> tuple[Configured, ...]:
        """The Torznab addresses, read."""
        return torznab_entries(self.torznab_urls.get_secret_value(), setting="VOD_TORZNAB_URLS")

    @property
    def stremio(self) -> tuple[Configured, ...]:
        """The Stremio add-ons, read."""
        return stremio_entries(self.stremio_addons.get_secret_value(), setting="VOD_STREMIO_ADDONS")
