"""How playback is configured."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from vod_playback.films import Policy


class Settings(BaseSettings):
    """Addresses and patience of playback."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore", use_attribute_docstrings=True)

    listen: str = Field(default="127.0.0.1:7012", validation_alias="VOD_PLAYBACK_LISTEN")
    """Where this service answers: `host:port` or `unix:/path`."""
    pg_dsn: SecretStr = Field(validation_alias="PG_DSN")
    """The database; this service acts as its own role in its own schema."""
    nats_url: SecretStr = Field(validation_alias="NATS_URL")
    """Where events go."""
    catalog_target: str = Field(default="dns:///localhost:7016", validation_alias="VOD_CATALOG_TARGET")
    """Where catalog answers."""
    picks_target: str = Field(default="dns:///localhost:7013", validation_alias="VOD_PICKS_TARGET")
    """Where picks answers."""
    stream_node_target: str = Field(default="dns:///localhost:7019", validation_alias="VOD_STREAM_NODE_TARGET")
    """Where a stream node answers."""
    sources_target: str = Field(default="dns:///localhost:7020", validation_alias="VOD_SOURCES_TARGET")
    """Where sources answers."""
    public_base: str = Field(default="http://127.0.0.1:8080", validation_alias="VOD_PUBLIC_BASE")
    """Where viewers reach the gateway, which serves the bytes of direct sources."""
    direct_sources: Policy = Field(default=Policy.FALLBACK, validation_alias="VOD_DIRECT_SOURCES")
    """When sessions play direct sources: `never`; `fallback` (curated films first, others where no torrent can be
    played, or none that the link carries); `prefer` (before torrents)."""
    session_timeout: float = Field(default=60.0, gt=0, validation_alias="VOD_SESSION_TIMEOUT")
    """Seconds without a heartbeat after which a session has ended; paused players send heartbeats too."""
    pins_looked_at_every: float = Field(default=30.0, gt=0, validation_alias="VOD_PLAYBACK_PINS_EVERY")
    """Seconds after which it is looked again whether all that is watched is held on a stream node."""
