"""What catalog reads from the environment."""

from datetime import timedelta

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from vod_runtime import Duration


class Settings(BaseSettings):
    """Settings of catalog; every field names its variable. Durations are like `6h`, `900` or `PT6H`."""

    model_config = SettingsConfigDict(
        frozen=True, populate_by_name=True, extra="ignore", env_ignore_empty=True, use_attribute_docstrings=True
    )

    listen: str = Field(default="127.0.0.1:7016", validation_alias="VOD_CATALOG_LISTEN")
    """Where gRPC is served: `host:port` or `unix:/path`."""
    pg_dsn: SecretStr = Field(validation_alias="PG_DSN")
    """The database; its user must be a member of the role `vod_catalog`."""
    tmdb_key: SecretStr | None = Field(default=None, validation_alias="TMDB_KEY")
    """A v3 key or a v4 read token; without one there are no TMDb titles."""
    tmdb_base: str = Field(default="https://api.themoviedb.org/3", validation_alias="VOD_TMDB_BASE")
    """Base address of TMDb's API, version 3."""
    tmdb_image_base: str = Field(default="https://image.tmdb.org/t/p", validation_alias="VOD_TMDB_IMAGE_BASE")
    """What posters' and backdrops' addresses begin with."""
    tmdb_per_second: float = Field(default=20.0, gt=0, validation_alias="VOD_TMDB_RATE")
    """Requests per second that we allow ourselves at TMDb, after a burst of 20."""
    jikan_base: str = Field(default="https://api.jikan.moe/v4", validation_alias="VOD_JIKAN_BASE")
    """Base address of Jikan's API, version 4."""
    jikan_per_second: float = Field(default=0.8, gt=0, validation_alias="VOD_JIKAN_RATE")
    """Requests per second at Jikan, after a burst of 3; it allows 60 a minute, MyAnimeList sometimes allows it less."""
    mal_client_id: SecretStr | None = Field(default=None, validation_alias="VOD_MAL_CLIENT_ID")
    """A client id of MyAnimeList's own API; with one it answers where Jikan does not."""
    mal_base: str = Field(default="https://api.myanimelist.net/v2", validation_alias="VOD_MAL_BASE")
    """Base address of MyAnimeList's own API, version 2."""
    archive_base: str = Field(default="https://archive.org", validation_alias="VOD_IA_BASE")
    """Base address of the Internet Archive; empty: no titles from there."""
    archive_items: str = Field(default="", validation_alias="VOD_IA_ITEMS")
    """Further identifiers of open films there, comma-separated; each must state an open licence of its own."""
    aniskip_base: str = Field(default="https://api.aniskip.com/v2", validation_alias="VOD_ANISKIP_BASE")
    """Base address of AniSkip's API, version 2; empty: no skip ranges."""
    anime_lists_url: str = Field(
        default="https://raw.githubusercontent.com/Anime-Lists/anime-lists/master/anime-list-master.xml",
        validation_alias="VOD_ANIME_LISTS_URL",
    )
    """Where seasons and offsets of anime are read from; empty: anime are not mapped to TMDb."""
    anime_ids_url: str = Field(
        default="https://raw.githubusercontent.com/Kometa-Team/Anime-IDs/master/anime_ids.json",
        validation_alias="VOD_ANIME_IDS_URL",
    )
    """Where the table from AniDB's to MyAnimeList's ids is read from."""
    upstream_deadline: Duration = Field(default=timedelta(seconds=8), validation_alias="VOD_CATALOG_UPSTREAM_DEADLINE")
    """How long one request to a provider may take, with its second try."""
    ttl: Duration = Field(default=timedelta(hours=24), validation_alias="VOD_CATALOG_TTL")
    """Titles older than this are refreshed."""
    refresh_every: Duration = Field(default=timedelta(minutes=10), validation_alias="VOD_CATALOG_REFRESH_EVERY")
    """How often the background job looks for titles to refresh, give or take a quarter."""
