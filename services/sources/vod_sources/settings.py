"""What sources reads from the environment. Nothing but the Internet Archive is asked unless the operator says so."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of sources; every field names its variable."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    listen: str = Field(default="127.0.0.1:7020", validation_alias="VOD_SOURCES_LISTEN")
    """Where gRPC is served: `host:port` or `unix:/path`."""
    pg_dsn: SecretStr = Field(validation_alias="PG_DSN")
    """The database; its user must be a member of the role `vod_sources`."""
    archive_base: str = Field(default="https://archive.org", validation_alias="VOD_IA_BASE")
    """Base address of the Internet Archive."""
    consumet_base: str = Field(default="", validation_alias="VOD_SOURCES_CONSUMET")
    """Base of a Consumet-shaped API, with the part before `info/` and `watch/`; empty: none."""
    vidlink_base: str = Field(default="", validation_alias="VOD_SOURCES_VIDLINK")
    """Base of a Vidlink-shaped API, with the part before `movie/` and `tv/`; empty: none."""
    stremio_addon: str = Field(default="", validation_alias="VOD_SOURCES_STREMIO")
    """Address of a Stremio add-on's manifest; empty: none."""
    mirrors: Path | None = Field(default=None, validation_alias="VOD_SOURCES_MIRRORS")
    """The operator's own list: a JSON file, or a folder of `.strm` files."""
    editorial: Path | None = Field(default=None, validation_alias="VOD_EDITORIAL")
    """Curated collections whose films come before all other sources; empty: the file that ships."""
    provider_seconds: float = Field(default=5.0, gt=0, validation_alias="VOD_SOURCES_PROVIDER_SECONDS")
    """Seconds that a provider is given to answer; one that is slower is left out."""
    probe_seconds: float = Field(default=4.0, gt=0, validation_alias="VOD_SOURCES_PROBE_SECONDS")
    """Seconds that a source's host is given to show that it plays; one that is slower is not well."""
    private_hosts: str = Field(default="", validation_alias="VOD_SOURCES_PRIVATE_HOSTS")
    """`host:port`s with private addresses that sources may lie on, comma-separated; all others are refused."""

    @field_validator("archive_base", "consumet_base", "vidlink_base", "stremio_addon")
    @classmethod
    def _is_address(cls, base: str) -> str:
        parts = urlsplit(base)
        if base and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("this must be a whole address, such as https://api.example/base")
        return base

    @field_validator("mirrors", "editorial")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path and not path.exists():
            raise ValueError(f"there is no file or folder {path}")
        return path

    @field_validator("private_hosts")
    @classmethod
    def _are_hosts(cls, hosts: str) -> str:
        for one in filter(None, map(str.strip, hosts.split(","))):
            host, _, port = one.rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError(f"{one} must be host:port, such as 192.168.1.5:8000")
        return hosts
