"""The public API of a running NovaStream, as the commands need it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from vod_local.errors import NotRunning, RequestRefused

COOKIE = "deviceId"
PATIENCE = timedelta(seconds=30)
"""Longer than the API's own deadline for a start, so that its explanation arrives."""


@dataclass(frozen=True, slots=True)
class Title:
    """A series, an anime or a film."""

    series_id: str
    name: str
    year: int | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """A started session."""

    id: str
    stream_url: str
    release: str
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where the viewer stopped, in seconds."""

    season: int
    episode: int
    position: float


class ApiClient:
    """Speaks to one NovaStream; each failure becomes a sentence (NotRunning, RequestRefused)."""

    def __init__(self, base: str, *, cookie: str | None = None, admin_key: str | None = None) -> None:
        headers = {"X-Api-Key": admin_key} if admin_key else {}
        # Loopback: a proxy from the environment must not get it.
        self._http = httpx.AsyncClient(
            base_url=base, headers=headers, timeout=PATIENCE.total_seconds(), trust_env=False
        )
        self.cookie = cookie
        """Who this device is to the API; the API gives it, and may give it anew."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def titles(self, query: str) -> list[Title]:
        """Find titles by name."""
        answer = await self._ask("GET", "/v1/titles", params={"query": query})
        return [Title(one["seriesId"], one["title"], one["year"], one["type"]) for one in answer["titles"]]

    async def resume_point(self, series_id: str) -> ResumePoint | None:
        """Give where this device stopped in the series, or None when it never watched it."""
        try:
            answer = await self._ask("GET", "/v1/resume", params={"seriesId": series_id})
        except RequestRefused as refusal:
            if refusal.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return ResumePoint(answer["season"], answer["episode"], answer["position_s"])

    async def start(self, series_id: str, season: int, episode: int) -> Session:
        """Start a session."""
        body = {"seriesId": series_id, "season": season, "episode": episode, "deviceCaps": DEVICE}
        answer = await self._ask("POST", "/v1/session/start", json=body)
        source = answer["source"]
        direct = " ".join(filter(None, (source["provider"], source["quality"], source["collection"])))
        release = answer["pick"]["title"] if answer["pick"] else direct
        return Session(answer["sessionId"], answer["streamUrl"], release, source["reasons"])

    async def heartbeat(self, session: str, position: float, duration: float | None) -> None:
        """Report the position, in seconds."""
        body = {"sessionId": session, "position_s": position}
        await self._ask("POST", "/v1/session/heartbeat", json=body | ({"duration_s": duration} if duration else {}))

    async def ended(self, session: str) -> tuple[int, int] | None:
        """Close the session; give season and episode of what follows, or None."""
        answer = await self._ask("POST", "/v1/session/ended", json={"sessionId": session})
        hint = answer.get("nextHint")
        return (hint["season"], hint["episode"]) if hint else None

    async def picks(self, series_id: str, season: int, episode: int) -> Mapping[str, Any]:
        """Give an episode's picks, newest first, and what the newest was chosen from (admin key)."""
        return await self._ask("GET", f"/v1/picks/{series_id}/{season}/{episode}")

    async def diff(self, series_id: str, season: int, episode: int, *, first: str, second: str) -> Mapping[str, Any]:
        """Say why one candidate, by infohash, goes before another (admin key)."""
        path = f"/v1/picks/{series_id}/{season}/{episode}/diff"
        return await self._ask("GET", path, params={"first": first, "second": second})

    async def status(self) -> Mapping[str, Any]:
        """Give sessions and pins (admin key)."""
        return await self._ask("GET", "/v1/status")

    async def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        cookie = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {}
        try:
            response = await self._http.request(method, path, headers=cookie, **request)
        except httpx.TimeoutException as failure:
            raise NotRunning(
                f"NovaStream at {self._http.base_url} does not answer in time. Look at `vod status`."
            ) from failure
        except httpx.TransportError as failure:
            raise NotRunning(
                f"NovaStream at {self._http.base_url} can't be reached: {failure}. Look at `vod status`."
            ) from failure
        self.cookie = response.cookies.get(COOKIE) or self.cookie
        self._http.cookies.clear()  # one place keeps it
        try:
            answer: dict[str, Any] = response.json()
        except ValueError:
            answer = {}
        if not response.is_success:
            raise RequestRefused(_explain(response.status_code, answer), status=response.status_code)
        return answer


DEVICE = {"h264": True, "hevc": True, "av1": True, "hdr": False}
"""What mpv and VLC on a computer can show."""


def _explain(status: int, problem: Mapping[str, Any]) -> str:
    """Make a problem (RFC 9457) readable: its detail, and why each release was refused."""
    lines = [str(problem.get("detail") or problem.get("title") or f"NovaStream answers {status} without a reason.")]
    for refused in problem.get("refused") or []:
        reasons = ", ".join(map(str, refused.get("reasons") or []))
        lines.append(f"  refused: {refused.get('title', '?')}: {reasons}")
    if trace := problem.get("traceId"):
        lines.append(f"  (trace {trace})")
    return "\n".join(lines)
