"""The JSON of direct play: a torrent instead of an episode, and how far it has come."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag

from vod_gateway import dto

_MAGNET = "magnet:?xt=urn:btih:5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70&dn=Harbor.Lights.S01"
_MAGNET_PATTERN = r"^(magnet:\?[!-~]{1,16376}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$"
_BASE64_PATTERN = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_LARGEST_TORRENT = 4 << 20
"""Of base64: 3 MiB."""
VARIANT = "start:"
"""How the names of the bodies of `session/start` begin, in places of errors."""

FileIndex = Annotated[
    int,
    Field(ge=0, le=1_000_000, description="Which file; absent: chosen by name and size."),
    dto.WHOLE,
]


class MagnetRequest(BaseModel):
    """Play a torrent as it is, without catalog and picks; for the owner."""

    model_config = dto.request_config({"magnet": _MAGNET, "fileIndex": 2})

    magnet: str = Field(pattern=_MAGNET_PATTERN, description="A magnet link, or an infohash (v1 or v2) in hex.")
    file_index: FileIndex | None = None
    device_caps: dto.DeviceCaps = Field(default_factory=lambda: dto.DeviceCaps.model_validate({}))
    subject_id: dto.SubjectId | None = None


class TorrentRequest(BaseModel):
    """Play a torrent from its .torrent file; for the owner."""

    model_config = dto.request_config({"torrent": "ZDQ6aW5mb2RlZQ==", "fileIndex": 0})

    torrent: str = Field(
        pattern=_BASE64_PATTERN, min_length=4, max_length=_LARGEST_TORRENT, description="A .torrent file in base64."
    )
    file_index: FileIndex | None = None
    device_caps: dto.DeviceCaps = Field(default_factory=lambda: dto.DeviceCaps.model_validate({}))
    subject_id: dto.SubjectId | None = None


DirectRequest = MagnetRequest | TorrentRequest


def _variant(body: Any) -> str:
    given = body if isinstance(body, dict) else {}
    return next((f"{VARIANT}{name}" for name in ("magnet", "torrent") if name in given), f"{VARIANT}episode")


StartBody = Annotated[
    Annotated[dto.StartRequest, Tag(f"{VARIANT}episode")]
    | Annotated[MagnetRequest, Tag(f"{VARIANT}magnet")]
    | Annotated[TorrentRequest, Tag(f"{VARIANT}torrent")],
    Discriminator(_variant),
]
"""What `session/start` takes: an episode, or a torrent."""


class ProgressAnswer(BaseModel):
    """How far the session's file has come, and what its swarm gives."""

    model_config = dto.answer_config(
        {
            "state": "ready",
            "fileName": "Harbor.Lights.S01E03.mkv",
            "sizeBytes": 734_003_200,
            "downloadedBytes": 52_428_800,
            "bufferedBytes": 33_554_432,
            "downloadRate": 3_200_000,
            "uploadRate": 120_000,
            "peers": 8,
            "distinctCopies": 7.4,
            "stalls": 0,
        }
    )

    state: Literal["connecting", "buffering", "ready", "complete"] | None = Field(
        description="`ready`: first and last bytes are here, a player can start at once."
    )
    file_name: str
    size_bytes: int
    downloaded_bytes: int
    buffered_bytes: int = Field(description="Ahead of the viewer, without a gap.")
    download_rate: int = Field(description="Bytes per second, of the whole torrent.")
    upload_rate: int
    peers: int
    distinct_copies: float = Field(description="How many copies the connected peers have together.")
    stalls: int = Field(description="How often a viewer waited too long.")
