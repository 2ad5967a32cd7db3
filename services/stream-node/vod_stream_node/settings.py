"""Everything that can be set, read once from the environment."""

import hmac
from datetime import timedelta
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from vod_runtime import Duration
from vod_stream_node.network import Encryption, Network, read_filter, read_proxy


class Settings(BaseSettings):
    """Settings of a stream node."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True, extra="ignore", use_attribute_docstrings=True)

    listen: str = Field(default="127.0.0.1:7019", validation_alias="VOD_STREAM_NODE_LISTEN")
    """gRPC: `host:port` or `unix:/path`."""
    http_listen: str = Field(default="127.0.0.1:8081", validation_alias="VOD_STREAM_HTTP_LISTEN")
    """Streams: `host:port` or `unix:/path`."""
    public_base: str = Field(default="http://127.0.0.1:8081", validation_alias="VOD_STREAM_PUBLIC_BASE")
    """What players reach the streams at."""
    hosts: str = Field(default="", validation_alias="VOD_STREAM_HOSTS")
    """Further names in the Host header to answer to, separated by commas."""
    cors_origins: str = Field(default="", validation_alias="CORS_ORIGINS")
    """Origins whose pages may read streams, separated by commas; exact, no wildcards."""

    node_name: str = Field(default="stream-node-0", validation_alias="VOD_NODE_NAME")
    """Stands in every stream URL, as a hint for the edge; stable over restarts."""
    redis_url: SecretStr | None = Field(default=None, validation_alias="REDIS_URL")
    """Where stream nodes find each other; without it this one is alone."""
    advertise: str = Field(default="", validation_alias="VOD_STREAM_NODE_ADVERTISE")
    """Where the other nodes reach this one's gRPC; by default where it listens."""
    lease: Duration = Field(default=timedelta(seconds=6), validation_alias="VOD_STREAM_NODE_LEASE")
    """How long a node that is not heard of counts as living."""
    drain_timeout: Duration = Field(default=timedelta(seconds=10), validation_alias="VOD_STREAM_DRAIN_TIMEOUT")
    """How long a node that stops waits until others have fetched what it has."""
    secret_key: SecretStr = Field(validation_alias="VOD_SECRET_KEY", min_length=16)
    """Root of the keys that sign stream URLs."""
    secret_key_previous: SecretStr | None = Field(default=None, validation_alias="VOD_SECRET_KEY_PREVIOUS")
    """The root before the last change; URLs signed with it stay good until they expire."""
    token_ttl: Duration = Field(default=timedelta(hours=12), validation_alias="VOD_STREAM_TOKEN_TTL")
    """How long a stream URL is good."""

    data_dir: Path = Field(validation_alias="VOD_DATA_DIR")
    """Torrents are kept in its folder `stream`."""
    pin_ttl: Duration = Field(default=timedelta(hours=6), validation_alias="VOD_STREAM_PIN_TTL")
    """How long a pin lasts after the last EnsurePin or read."""
    next_pin_ttl: Duration = Field(default=timedelta(minutes=10), validation_alias="VOD_STREAM_NEXT_PIN_TTL")
    """How long what was to come next stays pinned for a viewer whose session is over: he may go on to it."""
    janitor_ttl: Duration = Field(default=timedelta(hours=72), validation_alias="JANITOR_TTL")
    """How long an unpinned torrent stays on disk after its last use."""
    sweep_interval: Duration = Field(default=timedelta(seconds=5), validation_alias="VOD_STREAM_SWEEP_INTERVAL")
    """How often pins are looked over; every twelfth time the disk is too."""
    idle_unload: Duration = Field(default=timedelta(seconds=60), validation_alias="VOD_STREAM_IDLE_UNLOAD")
    """How long a torrent that nobody pins or reads stays in the session: a probe is mostly followed by a pin."""
    cache_bytes: int = Field(default=64 << 30, ge=0, validation_alias="VOD_CACHE_BYTES")
    """How much all torrents may take on disk before unpinned files go; 0 for no limit."""
    disk_reserve: int = Field(default=1 << 30, ge=0, validation_alias="VOD_DISK_RESERVE")
    """Bytes of the disk that are kept free: below, unpinned files go, too."""

    allow_private_peers: bool = Field(default=False, validation_alias="VOD_ALLOW_PRIVATE_PEERS")
    """For demo and tests: peers and trackers on loopback and in private networks, none anywhere else (no DHT)."""
    peer_listen: str = Field(default="", validation_alias="VOD_STREAM_PEER_LISTEN")
    """Where peers connect to, as libtorrent's `listen_interfaces`, and from where trackers and the DHT are asked; by
    default port 6881 of `VOD_STREAM_BIND`, else of all interfaces; loopback for the demo."""
    upload_bytes_per_second: int = Field(default=0, ge=0, validation_alias="VOD_STREAM_UPLOAD_LIMIT")
    """Bytes per second to peers of other networks than our own; 0 for no limit."""
    download_bytes_per_second: int = Field(default=0, ge=0, validation_alias="VOD_STREAM_DOWNLOAD_LIMIT")
    """Bytes per second from them; 0 for no limit. With one there is no express lane: starts and jumps take longer."""
    bind: str = Field(default="", validation_alias="VOD_STREAM_BIND")
    """Addresses or interfaces to go out by, separated by commas; empty: the system chooses. With one there is no
    express lane."""
    proxy: SecretStr = Field(default=SecretStr(""), validation_alias="VOD_STREAM_PROXY")
    """`socks5://[user:password@]host:port` or `http://…`: all of the swarm goes through it, names too; an http one
    carries no DHT and no UDP trackers, a socks5 one no web seeds. With one there is no express lane."""
    encryption: Encryption = Field(default=Encryption.PREFER, validation_alias="VOD_STREAM_ENCRYPTION")
    """Of connections to peers: `prefer`, `require` or `off`. With `require` there is no express lane, which speaks
    plainly."""
    dht: bool = Field(default=True, validation_alias="VOD_STREAM_DHT")
    """Whether to find peers in the DHT, too; never in the demo."""
    pex: bool = Field(default=True, validation_alias="VOD_STREAM_PEX")
    """Whether to learn peers from peers."""
    lsd: bool = Field(default=False, validation_alias="VOD_STREAM_LSD")
    """Whether to look for peers in the local network."""
    ip_filter: Path | None = Field(default=None, validation_alias="VOD_STREAM_IP_FILTER")
    """A file of addresses never to talk to: networks, or lines of PeerGuardian or eMule."""
    seed_ratio: float = Field(default=0.0, ge=0, validation_alias="VOD_STREAM_SEED_RATIO")
    """Give back so many times what was taken, for `VOD_STREAM_SEED_TIME` at most; 0: no matter how much."""
    seed_time: Duration = Field(default=timedelta(0), validation_alias="VOD_STREAM_SEED_TIME")
    """How long a torrent that nobody pins or reads stays in the swarm to give back."""

    nats_url: SecretStr | None = Field(default=None, validation_alias="NATS_URL")
    """Where stalls are told; without it nobody hears of them."""
    stall_after: Duration = Field(default=timedelta(seconds=8), validation_alias="VOD_STALL_AFTER")
    """How long a viewer waits for bytes until it is told, so that something else can be picked."""
    stall_timeout: Duration = Field(default=timedelta(seconds=60), validation_alias="VOD_STREAM_STALL_TIMEOUT")
    """How long a read waits for a byte from the swarm."""
    idle_timeout: Duration = Field(default=timedelta(minutes=30), validation_alias="VOD_STREAM_IDLE_TIMEOUT")
    """How long a client may take nothing: a paused player keeps its connection and stops reading, for minutes."""
    reads_per_token: int = Field(default=16, ge=1, validation_alias="VOD_STREAM_READS_PER_TOKEN")
    """Bodies sent at the same time for one URL."""
    piece_cache_bytes: int = Field(default=32 << 20, ge=0, validation_alias="VOD_STREAM_PIECE_CACHE")
    """Memory for pieces that are verified but not on disk yet."""

    @property
    def secret_keys(self) -> list[SecretStr]:
        """The root that signs, then those that are still good."""
        return [self.secret_key, *([self.secret_key_previous] if self.secret_key_previous else [])]

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(_listed(self.cors_origins))

    @property
    def further_hosts(self) -> list[str]:
        return _listed(self.hosts)

    @property
    def fleet(self) -> str:
        """Which nodes belong together: those that accept each other's tokens."""
        return hmac.digest(self.secret_key.get_secret_value().encode(), b"vod stream fleet v1", "sha256").hex()[:12]

    @property
    def target(self) -> str:
        """Where the other nodes reach this one's gRPC."""
        return self.advertise or self.listen

    @property
    def peer_host(self) -> str:
        """Where the other nodes reach this one as a BitTorrent peer."""
        return "127.0.0.1" if self.target.startswith("unix:") else self.target.rpartition(":")[0].rpartition("/")[2]

    @property
    def network(self) -> Network:
        """How to reach the internet.

        Raises:
            ValueError, OSError: the proxy's URL or the IP filter can't be read.
        """
        return Network(
            bind=self.bind,
            proxy=read_proxy(self.proxy.get_secret_value()),
            encryption=self.encryption,
            dht=self.dht and not self.allow_private_peers,
            pex=self.pex,
            lsd=self.lsd,
            download_bytes_per_second=self.download_bytes_per_second,
            upload_bytes_per_second=self.upload_bytes_per_second,
            blocked=read_filter(self.ip_filter) if self.ip_filter else (),
        )

    @property
    def peer_interfaces(self) -> str:
        """Where peers reach us, and from where trackers and the DHT are asked.

        For a good swarm that is everywhere, unless the owner named a way; in the demo the swarm is on this machine.
        """
        if self.peer_listen:
            return self.peer_listen
        usual, port = (["127.0.0.1"], 0) if self.allow_private_peers else (["0.0.0.0", "::"], 6881)  # noqa: S104
        named = _listed(self.bind) or usual
        return ",".join(f"[{one}]:{port}" if ":" in one else f"{one}:{port}" for one in named)


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
