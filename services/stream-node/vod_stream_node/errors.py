"""The failures of a stream node, one class per reason."""

import errno
from datetime import timedelta

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
    """The infohash is not 40 hexadecimal digits."""

    reason = "INFOHASH_INVALID"


class MagnetInvalid(InvalidArgument):
    """The magnet can not be read, or is of another torrent."""

    reason = "MAGNET_INVALID"


class TorrentInvalid(InvalidArgument):
    """The .torrent can not be read, is too large, or is of another torrent."""

    reason = "TORRENT_INVALID"


class PinUnknown(NotFound):
    """Nobody holds that file on this node."""

    reason = "PIN_UNKNOWN"


class HolderInvalid(InvalidArgument):
    """The name of the holder is empty or too long."""

    reason = "HOLDER_INVALID"


class PurposeMissing(InvalidArgument):
    """The pin says neither CURRENT nor NEXT."""

    reason = "PURPOSE_MISSING"


class FileIndexOutOfRange(InvalidArgument):
    """The torrent has no file of that number."""

    reason = "FILE_INDEX_OUT_OF_RANGE"


class FileNotPlayable(InvalidArgument):
    """The file is of a kind that is never streamed."""

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
    """The disk is broken."""

    reason = "STORAGE_FAILED"


class DiskFull(StorageFailed):
    """The disk is full, and nothing on it can go; what is there is still served."""

    reason = "DISK_FULL"
    http_status = 507


class NodeDraining(Unavailable):
    """The node is being stopped and takes no new pins."""

    reason = "NODE_DRAINING"


class NodeAlone(FailedPrecondition):
    """The node was asked to do something for another, and knows none."""

    reason = "NODE_ALONE"


class NodeBroken(Unavailable):
    """The torrent engine of the node does not work."""

    reason = "NODE_BROKEN"


class TorrentGone(Unavailable):
    """The torrent left the node while somebody waited for it."""

    reason = "TORRENT_GONE"


class TorrentUnknown(NotFound):
    """The node has neither a pin of this torrent nor anything of it on disk."""

    reason = "TORRENT_UNKNOWN"


class PathUnknown(NotFound):
    """There is nothing at that address."""

    reason = "PATH_UNKNOWN"


class TokenInvalid(PermissionDenied):
    """The address was not made by us, or was changed."""

    reason = "TOKEN_INVALID"


class TokenExpired(PermissionDenied):
    """The address was good once; ask the session for a new one."""

    reason = "TOKEN_EXPIRED"


class TooManyReads(ResourceExhausted):
    """More reads of one address at the same time than are allowed."""

    reason = "TOO_MANY_READS"


class HostUnknown(InvalidArgument):
    """The request is for a host that this server does not answer to (RFC 9110 section 15.5.20)."""

    reason = "HOST_UNKNOWN"
    http_status = 421


class MethodNotAllowed(FailedPrecondition):
    """A stream can only be read."""

    reason = "METHOD_NOT_ALLOWED"
    http_status = 405


class RangeNotSatisfiable(InvalidArgument):
    """The range begins behind the end of the file (RFC 9110 section 15.5.17)."""

    reason = "RANGE_NOT_SATISFIABLE"
    http_status = 416


class PreconditionUnmet(FailedPrecondition):
    """The file is not the one that If-Match names (RFC 9110 section 13.1.1)."""

    reason = "PRECONDITION_UNMET"
    http_status = 412


_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def disk_failure(code: int | None) -> StorageFailed:
    """Return what an error of the disk means; *code* is the system's."""
    if code in _NO_ROOM:
        return DiskFull("The node's disk is full.", retry_after=timedelta(seconds=10))
    return StorageFailed("The node's disk is broken.")
