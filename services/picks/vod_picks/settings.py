"""How picks is configured."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Addresses and patience of picks."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore", use_attribute_docstrings=True)

    listen: str = Field(default="127.0.0.1:7013", validation_alias="VOD_PICKS_LISTEN")
    """Where this service answers: `host:port` or `unix:/path`."""
    pg_dsn: SecretStr = Field(validation_alias="PG_DSN")
    """The database; this service acts as its own role in its own schema."""
    nats_url: SecretStr = Field(validation_alias="NATS_URL")
    """Where stalls are heard, and rejections told."""
    catalog_target: str = Field(default="dns:///localhost:7016", validation_alias="VOD_CATALOG_TARGET")
    """Where catalog answers."""
    search_target: str = Field(default="dns:///localhost:7014", validation_alias="VOD_SEARCH_TARGET")
    """Where search answers."""
    scoring_target: str = Field(default="dns:///localhost:7017", validation_alias="VOD_SCORING_TARGET")
    """Where scoring answers."""
    stream_node_target: str = Field(default="dns:///localhost:7019", validation_alias="VOD_STREAM_NODE_TARGET")
    """Where a stream node answers."""
    choose_seconds: float = Field(default=15.0, gt=0, validation_alias="VOD_PICKS_CHOOSE_SECONDS")
    """How long choosing a release may take in all: catalog, search, scoring, and asking swarms."""
    probe_seconds: float = Field(default=4.0, gt=0, validation_alias="VOD_PICKS_PROBE_SECONDS")
    """How long the best candidates' swarms may take, side by side, to show the file and its first bytes."""
    race_runners: int = Field(default=3, ge=1, le=6, validation_alias="VOD_PICKS_RACE_RUNNERS")
    """How many swarms are tried side by side."""
    probe_candidates: int = Field(default=6, ge=1, le=20, validation_alias="VOD_PICKS_PROBE_CANDIDATES")
    """How many candidates' swarms are tried before giving up."""
