"""The JSON of what happens to a session: its answer to a heartbeat, and events."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from vod_gateway import dto


class Switch(BaseModel):
    """Where the session goes on after its source failed, or the viewer chose another."""

    model_config = dto.answer_config(
        {
            "pick": dto.PICK_EXAMPLE,
            "source": dto.SOURCE_EXAMPLE,
            "streamUrl": dto.STREAM_URL_EXAMPLE,
            "position_s": 612.0,
            "reason": "Its swarm sends nothing.",
        }
    )

    pick: dto.Pick | None = Field(description="Null for a direct source. The same pick again: nothing to do.")
    source: dto.PlayingSource
    stream_url: str
    position_s: float = Field(description="The last position that the player reported.")
    reason: str = Field(description="For people; empty when the viewer chose it.")


class GivenUp(BaseModel):
    """Nothing is left to go on with; final, like the problem of a start that finds nothing."""

    model_config = dto.answer_config(
        {
            "reason": "NO_PLAYABLE_RELEASE",
            "detail": "No release of tmdb:tv:9001:S01E03 can be played.",
            "domain": "picks.vod",
            "metadata": {"refused_count": "1"},
            "refused": [{"title": "Harbor.Lights.S01E03.1080p", "reasons": ["STALLED: nobody sends it"]}],
            "unavailable": [],
        }
    )

    reason: str
    detail: str
    domain: str
    metadata: dict[str, str]
    refused: list[Any] = Field(description="Each release, and why not.")
    unavailable: list[Any] = Field(description="Indexers that could not be asked.")


class HeartbeatAnswer(BaseModel):
    model_config = dto.answer_config({"ok": True, "nextHint": dto.HINT_EXAMPLE})

    ok: Literal[True] = True
    next_hint: dto.NextHint | None = None
    stream_url: str | None = Field(
        None,
        description="After a fallback: open this, at `position_s`. Told for a minute, or until `playingPickId`.",
    )
    position_s: float | None = None
    pick: dto.Pick | None = Field(None, description="What plays at `streamUrl`; null for a direct source.")
    source: dto.PlayingSource | None = Field(None, description="What plays at `streamUrl`, of either kind.")
    switch_reason: str | None = Field(None, description="For people: why the source before it failed.")
    given_up: GivenUp | None = Field(None, description="No source is left; final.")
