"""What picks tells: a pick is not in force any more."""

from vod.picks.v1 import events_pb2

from vod_picks.clients import key_to_proto
from vod_picks.domain import Pick
from vod_picks.rejections import Rejection, RejectionReason

REASONS = {
    RejectionReason.STALLED: events_pb2.REJECTION_REASON_STALLED,
    RejectionReason.BROKEN: events_pb2.REJECTION_REASON_BROKEN,
    RejectionReason.UNWANTED: events_pb2.REJECTION_REASON_UNWANTED,
}


def rejected_subject(rejected: Pick) -> str:
    """Return the subject on which the rejection of a pick is told."""
    return f"picks.v1.pick-rejected.{rejected.id}"


def rejected_id(rejected: Pick) -> str:
    """Return the event's identity: a pick is rejected once."""
    return f"pick-rejected:{rejected.id}"


def rejected_event(rejected: Pick, rejection: Rejection, successor: Pick | None) -> events_pb2.PickRejected:
    """Return the event for a pick that another, or none, took the place of."""
    return events_pb2.PickRejected(
        key=key_to_proto(rejected.key),
        profile_hash=rejected.profile_hash,
        pick_id=rejected.id,
        infohash=rejected.infohash,
        file_index=rejected.file_index,
        reason=REASONS[rejection.reason],
        explanation=rejection.explanation,
        replacement_pick_id=successor.id if successor else 0,
    )
