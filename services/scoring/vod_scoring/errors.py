"""What can go wrong in scoring, one class per reason."""

from vod_rpc import InvalidArgument


class InvalidRanking(InvalidArgument):
    """A request says too little or too much: no title or device, or more candidates than can be ranked at once."""

    reason = "INVALID_RANKING"
