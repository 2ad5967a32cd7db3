"""What the gateway reads from the environment."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _networks(value: object) -> object:
    parts = _comma_separated(value)
    return tuple(ip_network(part) for part in parts) if isinstance(parts, tuple) else parts


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]


class Settings(BaseSettings):
    """The gateway's configuration. Lists are comma-separated."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="ignore", hide_input_in_errors=True, use_attribute_docstrings=True
    )

    http_listen: str = Field("127.0.0.1:8080", validation_alias="VOD_HTTP_LISTEN")
    """Where the API is served: `host:port`."""
    public_base: str = Field("", validation_alias="VOD_PUBLIC_BASE")
    """Where viewers reach the gateway (`https://vod.example`); empty: where it listens."""
    allowed_hosts: Names = Field((), validation_alias="VOD_ALLOWED_HOSTS")
    """Further names in the Host header to answer to; loopback and the public base are always allowed."""
    cors_origins: Names = Field((), validation_alias="CORS_ORIGINS")
    """Exact origins of user interfaces (`https://ui.example`); empty: only the gateway's own."""
    trusted_proxies: Networks = Field((), validation_alias="VOD_TRUSTED_PROXIES")
    """Addresses or networks whose X-Forwarded-For is believed."""

    secret_key: SecretStr = Field(validation_alias="VOD_SECRET_KEY", min_length=16)
    """Root of the key that signs the deviceId cookie; at least 16 characters."""
    secret_key_previous: SecretStr | None = Field(None, validation_alias="VOD_SECRET_KEY_PREVIOUS")
    """Cookies signed with it stay good while the key is being changed."""
    admin_key: SecretStr | None = Field(None, validation_alias="VOD_ADMIN_KEY")
    """Absent: the admin routes are off."""
    direct_play: bool = Field(False, validation_alias="VOD_DIRECT_PLAY")
    """Whether everybody may start a session on a magnet or a .torrent; the holder of the admin key always may."""

    playback_target: str = Field(validation_alias="VOD_PLAYBACK_TARGET")
    """Where playback answers."""
    catalog_target: str = Field(validation_alias="VOD_CATALOG_TARGET")
    """Where catalog answers."""
    subtitles_target: str = Field(validation_alias="VOD_SUBTITLES_TARGET")
    """Where subtitles answers."""
    picks_target: str = Field(validation_alias="VOD_PICKS_TARGET")
    """Where picks answers."""
    stream_node_target: str = Field(validation_alias="VOD_STREAM_NODE_TARGET")
    """Where a stream node answers."""

    sources_target: str = Field(validation_alias="VOD_SOURCES_TARGET")
    """Where sources answers."""

    search_per_minute: int = Field(30, validation_alias="VOD_LIMIT_SEARCH_PER_MINUTE", gt=0)
    """Session starts and looks ahead that a device may ask for in a minute; four times as many from one address."""
    search_burst: int = Field(10, validation_alias="VOD_LIMIT_SEARCH_BURST", gt=0)
    """How many of them at once."""
    titles_per_minute: int = Field(60, validation_alias="VOD_LIMIT_TITLES_PER_MINUTE", gt=0)
    """Title searches that a device may ask for in a minute."""
    titles_burst: int = Field(20, validation_alias="VOD_LIMIT_TITLES_BURST", gt=0)
    """How many of them at once."""
    max_listeners: int = Field(default=2000, ge=1, validation_alias="VOD_MAX_EVENT_LISTENERS")
    """So many may listen to `/v1/session/{id}/events` at the same time."""

    @field_validator("cors_origins")
    @classmethod
    def _exact_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or f"{parts.scheme}://{parts.netloc}" != origin or "*" in origin:
                raise ValueError(f"{origin!r} is not an origin like https://ui.example")
        return origins

    @field_validator("secret_key_previous", "admin_key")
    @classmethod
    def _empty_is_absent(cls, secret: SecretStr | None) -> SecretStr | None:
        return secret if secret and secret.get_secret_value() else None
