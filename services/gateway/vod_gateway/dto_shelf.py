"""The JSON of a viewer's shelf: what to go on with, and on which devices it was watched."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from vod_gateway.dto import answer_config

_CONTINUATION: dict[str, Any] = {
    "seriesId": "tmdb:tv:9001",
    "season": 1,
    "episode": 3,
    "position_s": 612.0,
    "duration_s": 1260.0,
    "why": "unfinished",
    "ready": False,
    "watchedAt": "2026-11-20T20:15:00Z",
}
_DEVICE: dict[str, Any] = {
    "name": "5d1ce7a9b0f3",
    "self": True,
    "profileHash": "532a3843230509dd",
    "deviceCaps": {"h264": True, "maxHeight": 1080},
    "seenAt": "2026-11-20T20:15:00Z",
}


class Continuation(BaseModel):
    """One episode of a series to go on with."""

    model_config = answer_config(_CONTINUATION)

    series_id: str
    season: int
    episode: int
    position_s: float
    duration_s: float | None = Field(description="Null if unknown.")
    why: Literal["unfinished", "next"] = Field(description="`next`: the episode before it is finished.")
    ready: bool = Field(description="It would start at once.")
    watched_at: datetime = Field(description="When something of the series was watched last.")


class ShelfAnswer(BaseModel):
    model_config = answer_config({"entries": [_CONTINUATION]})

    entries: list[Continuation] = Field(description="One per series, what was watched last first.")


class WatchedDevice(BaseModel):
    """A device as its latest start described it."""

    model_config = answer_config(_DEVICE)

    name: str = Field(description="Tells devices apart; nobody can act as a device with it.")
    self: bool = Field(description="The one that asks.")
    profile_hash: str = Field(description="Under which its picks are kept; the same for all devices that can the same.")
    device_caps: dict[str, Any] = Field(description="As in `session/start`; what is missing is false, 0 or empty.")
    seen_at: datetime = Field(description="When something was last started on it.")


class DevicesAnswer(BaseModel):
    model_config = answer_config({"devices": [_DEVICE]})

    devices: list[WatchedDevice] = Field(description="The latest first.")
