"""What search reads from the environment."""

from datetime import timedelta

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from vod_runtime import Duration


class Settings(BaseSettings):
    """Settings of search; every field names its variable. Durations are like `15m`, `900` or `PT15M`."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    listen: str = Field(default="127.0.0.1:7014", validation_alias="VOD_SEARCH_LISTEN")
    """Where search answers gRPC: `host:port` or `unix:/path`."""
    pg_dsn: SecretStr = Field(validation_alias="PG_DSN")
    """The database; search acts as the role `vod_search` in the schema `search`."""
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    """The hot cache in front of the table; search works without it, only slower."""
    prowlarr_url: str | None = Field(default=None, validation_alias="PROWLARR_URL")
    """The base address of Prowlarr; without it nothing is found, and the answer says why."""
    prowlarr_key: SecretStr = Field(default=SecretStr(""), validation_alias="PROWLARR_KEY")
    """Prowlarr's API key (Settings, General)."""
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
