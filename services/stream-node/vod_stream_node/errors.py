"""The failures of a stream node, one class per reason."""

from vod_rpc import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
)

DOMAIN = "stream-node.vod"


class InfohashInvalid(InvalidArgument):
    reason = "INFOHASH_INVALID"


class MagnetInvalid(InvalidArgument):
    reason = "MAGNET_INVALID"


class HolderInvalid(InvalidArgument):
    reason = "HOLDER_INVALID"


class PurposeMissing(InvalidArgument):
    reason = "PURPOSE_MISSING"


class FileIndexOutOfRange(InvalidArgument):
    reason = "FILE_INDEX_OUT_OF_RANGE"


class FileNotPlayable(InvalidArgument):
    reason = "FILE_NOT_PLAYABLE"


class TorrentRefused(FailedPrecondition):
    """The torrent's metadata is hostile, or not what its infohash promised."""

    reason = "TORRENT_REFUSED"


class SwarmSilent(DeadlineExceeded):
    """No peer told what is in the torrent in time."""

    reason = "SWARM_SILENT"


class BytesLate(DeadlineExceeded):
    """The swarm did not deliver what a reader waits for in time."""

    reason = "BYTES_LATE"


class StorageFailed(Unavailable):
    """The disk is full or broken."""

    reason = "STORAGE_FAILED"


class NodeDraining(Unavailable):
    reason = "NODE_DRAINING"


class NodeBroken(Unavailable):
    reason = "NODE_BROKEN"


class TorrentGone(Unavailable):
    """The torrent left the node while somebody waited for it."""

    reason = "TORRENT_GONE"


class TorrentUnknown(NotFound):
    """The node has neither a pin of this torrent nor anything of it on disk."""

    reason = "TORRENT_UNKNOWN"


class PathUnknown(NotFound):
    reason = "PATH_UNKNOWN"


class TokenInvalid(PermissionDenied):
    reason = "TOKEN_INVALID"


class TokenExpired(PermissionDenied):
    reason = "TOKEN_EXPIRED"


class TooManyReads(ResourceExhausted):
    reason = "TOO_MANY_READS"
