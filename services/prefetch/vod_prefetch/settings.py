"""How prefetch is configured."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Addresses and patience of prefetch."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore", use_attribute_docstrings=True)

    nats_url: SecretStr = Field(validation_alias="NATS_URL")
    """Where the events come from."""
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    """Where the marks of what is prepared are kept; may vanish at any time."""
    playback_target: str = Field(default="dns:///localhost:7012", validation_alias="VOD_PLAYBACK_TARGET")
    """Where playback answers."""
    picks_target: str = Field(default="dns:///localhost:7013", validation_alias="VOD_PICKS_TARGET")
    """Where picks answers."""
    subtitles_target: str = Field(default="dns:///localhost:7015", validation_alias="VOD_SUBTITLES_TARGET")
    """Where subtitles answers."""
    stream_node_target: str = Field(default="dns:///localhost:7019", validation_alias="VOD_STREAM_NODE_TARGET")
    """Where a stream node answers."""
    prepare_seconds: float = Field(default=30.0, gt=0, validation_alias="VOD_PREFETCH_PREPARE_SECONDS")
    """How long preparing one episode may take before the next heartbeat tries again."""
