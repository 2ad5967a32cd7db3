"""What can go wrong here, one class per reason."""

from datetime import timedelta

from vod_rpc import FailedPrecondition, InvalidArgument, NotFound, Unavailable


class SessionNotFound(NotFound):
    """There is no such session."""

    reason = "SESSION_NOT_FOUND"

    def __init__(self, session_id: str) -> None:
        super().__init__("There is no such session.", metadata={"session_id": session_id})


class SessionEnded(FailedPrecondition):
    """The viewer or the sweeper ended it; a new one has to be started."""

    reason = "SESSION_ENDED"

    def __init__(self, session_id: str) -> None:
        super().__init__("The session has ended; start a new one.", metadata={"session_id": session_id})


class RequestIdReused(FailedPrecondition):
    """The Idempotency-Key belongs to the start of another episode."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self) -> None:
        super().__init__("This request id was used to start another episode.")


class NothingToResume(NotFound):
    """The viewer left nothing unfinished."""

    reason = "NOTHING_TO_RESUME"

    def __init__(self) -> None:
        super().__init__("Nothing was left unfinished.")


class NothingFollows(FailedPrecondition):
    """It is the last episode, or the next one plays already."""

    reason = "NOTHING_FOLLOWS"

    def __init__(self) -> None:
        super().__init__("No episode follows that could be chosen for.")


class HeartbeatInvalid(InvalidArgument):
    """The position or the duration can not be true."""

    reason = "HEARTBEAT_INVALID"


class ReportInvalid(InvalidArgument):
    """A position from elsewhere, or its time, can not be true; the message says why."""

    reason = "REPORT_INVALID"


class RequestInvalid(InvalidArgument):
    """A field is missing or out of bounds; the message says which."""

    reason = "REQUEST_INVALID"


class NextMismatch(InvalidArgument):
    """The hint is not about the episode that follows."""

    reason = "NEXT_MISMATCH"

    def __init__(self) -> None:
        super().__init__("This is not the episode that follows.")


class StoreUnavailable(Unavailable):
    """The database is away; nobody knows whether anything was stored. Try again; the next heartbeat is a retry."""

    reason = "STORE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("The database is away just now; try again.", retry_after=timedelta(seconds=1))


class NothingPinned(NotFound):
    """The session plays a direct source, which comes over HTTP as it is read."""

    reason = "NOTHING_PINNED"

    def __init__(self) -> None:
        super().__init__("A direct source is not downloaded ahead; there is no progress to tell.")
