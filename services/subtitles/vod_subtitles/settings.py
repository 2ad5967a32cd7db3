"""What subtitles reads from the environment."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from vod_rpc import Failure
from vod_subtitles.domain import Lang, parse_language

_FEED = re.compile(r"(?P<address>.+?)(?:=(?P<lang>[a-z]{2}))?")


class Settings(BaseSettings):
    """Settings of subtitles; every field names its variable."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    listen: str = Field(default="127.0.0.1:7015", validation_alias="VOD_SUBTITLES_LISTEN")
    """Where gRPC is served: `host:port` or `unix:/path`."""
    pg_dsn: SecretStr = Field(validation_alias="PG_DSN")
    """The database; its user must be a member of the role `vod_subtitles`."""
    catalog_target: str = Field(default="127.0.0.1:7016", validation_alias="VOD_CATALOG_TARGET")
    """Where catalog is."""
    stream_node_target: str = Field(default="127.0.0.1:7019", validation_alias="VOD_STREAM_NODE_TARGET")
    """Where a stream node is."""
    os_key: SecretStr | None = Field(default=None, validation_alias="OS_KEY")
    """OpenSubtitles' Api-Key; without one there are no subtitles but those already kept."""
    os_username: str | None = Field(default=None, validation_alias="VOD_OS_USERNAME")
    """Name (not mail address) of the OpenSubtitles account whose downloads are spent; without one, the key's own."""
    os_password: SecretStr | None = Field(default=None, validation_alias="VOD_OS_PASSWORD")
    """Password of that account."""
    folder: Path | None = Field(default=None, validation_alias="VOD_SUBTITLE_FOLDER")
    """A folder with subtitle files of your own, found by title and number in their names (`Title.S01E02.en.srt`)."""
    addons: str = Field(default="", validation_alias="VOD_SUBTITLE_ADDONS")
    """Addresses of Stremio add-ons that have subtitles, up to `/manifest.json`; separated by commas."""
    endpoints: str = Field(default="", validation_alias="VOD_SUBTITLE_ENDPOINTS")
    """Addresses of single files, with {series_id}, {season}, {episode} and {lang} to fill in; separated by commas."""
    feeds: str = Field(default="", validation_alias="VOD_SUBTITLE_FEEDS")
    """Addresses of RSS or Atom feeds of subtitle files, each with `=lang` behind it for entries that don't say theirs;
    separated by commas."""
    os_base: str = Field(default="https://api.opensubtitles.com/api/v1", validation_alias="VOD_OS_BASE")
    """Base address of OpenSubtitles' REST API, version 1."""
    languages: Annotated[tuple[Lang, ...], NoDecode] = Field(
        default=(Lang("en"),), min_length=1, validation_alias="VOD_SUBTITLE_LANGUAGES"
    )
    """Those that are looked for where nobody says which, most wanted first; separated by commas."""

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        codes = value.split(",") if isinstance(value, str) else value
        if not isinstance(codes, list | tuple):
            return value
        try:
            return tuple(parse_language(str(code).strip()) for code in codes)
        except Failure as failure:
            raise ValueError(str(failure)) from failure

    @property
    def addon_list(self) -> list[str]:
        return [one.strip() for one in self.addons.split(",") if one.strip()]

    @property
    def endpoint_list(self) -> list[str]:
        return [one.strip() for one in self.endpoints.split(",") if one.strip()]

    @property
    def feed_list(self) -> list[tuple[str, str]]:
        """Address and language of each feed; the language is empty where its entries say it."""
        found = (_FEED.fullmatch(one.strip()) for one in self.feeds.split(",") if one.strip())
        return [(one["address"], one["lang"] or "") for one in found if one]

    @property
    def addresses(self) -> list[str]:
        """What the operator named himself."""
        return [*self.addon_list, *self.endpoint_list, *(address for address, _ in self.feed_list)]
