"""What log lines say of a session: the same fields everywhere, so that one can follow it through all of them."""

from datetime import datetime

from vod_playback.domain import JsonObject, Session, Source

_REASONS = 4


def session_fields(session: Session) -> JsonObject:
    """Return who watches what from which source."""
    return {
        "session_id": session.id,
        "subject_id": session.subject_id,
        "series_id": session.key.series_id,
        "season": session.key.season,
        "episode": session.key.episode,
        "pick_id": session.source.pick_id,
        "infohash": session.source.infohash[:12],
        "file_index": session.source.file_index,
        "score": _score(session.source),
        "fallback_used": session.switched_at is not None,
    }


def chosen_because(source: Source) -> str:
    """Return why a source was chosen, as far as its pick says."""
    score = source.pick.get("score", {})
    told = [*score.get("observations", ()), *(part.get("reason") for part in score.get("components", ()))]
    return "; ".join([text for text in told if text][:_REASONS])


def waited_ms(session: Session, now: datetime) -> int:
    """Return for how long the viewer waits for bytes, in milliseconds; 0 if no stream node said that he does."""
    return 0 if session.waits_since is None else round((now - session.waits_since).total_seconds() * 1000)


def _score(source: Source) -> float | None:
    micro = source.pick.get("score", {}).get("score_micro")
    return None if micro is None else int(micro) / 1_000_000
