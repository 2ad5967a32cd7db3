"""What scoring reads from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of scoring. What it decides is not set here but in the policy file."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    listen: str = Field(default="127.0.0.1:7017", validation_alias="VOD_SCORING_LISTEN")
    """Where scoring answers gRPC: `host:port` or `unix:/path`."""
    rules: Path | None = Field(default=None, validation_alias="VOD_SCORING_RULES")
    """Your own rules: a file (`.toml`, or `.json` with TRaSH custom formats), or a folder of such files."""
