"""What can go wrong in subtitles, one class per reason."""

from datetime import datetime

from vod_rpc import FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted, Unavailable


class InvalidSubtitleRequest(InvalidArgument):
    """The episode or a language is of no form that we know."""

    reason = "INVALID_SUBTITLE_REQUEST"


class SubtitleNotFound(NotFound):
    """There is no readable track for this episode in this language, as far as our sources know."""

    reason = "SUBTITLE_NOT_FOUND"


class NoReferenceTrack(FailedPrecondition):
    """No track is known to fit the picked file, so none can be aligned with it."""

    reason = "NO_REFERENCE_TRACK"


class SubtitleQuotaExhausted(ResourceExhausted):
    """There is a track, but the downloads that the source allows are used up."""

    reason = "SUBTITLE_QUOTA_EXHAUSTED"

    def __init__(self, source: str, *, now: datetime, resets_at: datetime) -> None:
        self.resets_at = resets_at
        until = resets_at.isoformat(timespec="seconds")
        super().__init__(
            f"The downloads at {source} are used up until {until}.",
            metadata={"source": source, "resets_at": until},
            retry_after=resets_at - now,
        )


class SubtitleSourceUnavailable(Unavailable):
    """The source does not answer, answers nonsense, refuses our key, or asks us to wait."""

    reason = "SUBTITLE_SOURCE_UNAVAILABLE"
