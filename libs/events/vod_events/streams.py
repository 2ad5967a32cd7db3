"""Which streams there are, and which subjects each one keeps. The one place in the libs that knows event names."""

from nats.js.api import DiscardPolicy, StorageType, StreamConfig

_MINUTE, _DAY = 60.0, 86_400.0

HEARTBEATS = StreamConfig(
    name="HEARTBEATS",
    subjects=["playback.v1.heartbeat.*"],
    # Only the newest message of a subject is worth anything, and the next one is the retry.
    storage=StorageType.MEMORY,
    max_msgs_per_subject=1,
    max_age=2 * _MINUTE,
    discard=DiscardPolicy.OLD,
    duplicate_window=_MINUTE,
)
FACTS = StreamConfig(
    name="FACTS",
    subjects=["playback.v1.episode-ended.*", "picks.v1.pick-rejected.*", "stream.v1.pin-stalled.*"],
    storage=StorageType.FILE,
    max_age=7 * _DAY,
    duplicate_window=10 * _MINUTE,
)
DEAD_LETTERS = StreamConfig(
    name="DEAD_LETTERS", subjects=["dead-letter.>"], storage=StorageType.FILE, max_age=30 * _DAY
)
STREAMS = (HEARTBEATS, FACTS, DEAD_LETTERS)
