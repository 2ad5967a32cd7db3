"""A viewer as a player is one: reads at the bitrate, comes back with a range when a body ends early, sends heartbeats.

What he sees is written down: how long he waited for bytes and for answers to heartbeats, what was acknowledged, and the
hash of all bytes he got.
"""

import asyncio
import contextlib
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from vod_testing import eventually

_CHUNK = 64 << 10
_PAUSE_SECONDS = 0.2
_READ = httpx.Timeout(30.0, read=8.0)
"""A player gives up on a silent connection after some seconds and opens another."""
# What lies in a socket's buffer was not watched; kept small, so that a fault is felt.
_SMALL_BUFFER = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)]
_RUSH = float("inf")
_UNTOLD = ""


@dataclass(slots=True)
class Seen:
    """What the viewer saw."""

    longest_wait: float = 0.0
    """Seconds without a byte that he wanted."""
    longest_silence: float = 0.0
    """Seconds from a heartbeat to the next acknowledged one, without the time between beats."""
    reopened: int = 0
    acknowledged: float = 0.0
    """The last position that was acknowledged, in seconds."""
    refused: list[str] = field(default_factory=list)
    """What else happened: refusals and broken connections, for the message of a failed test."""
    beats: int = 0
    next_ready: bool = False
    switched: list[str] = field(default_factory=list)
    """Releases that came in the answer to a heartbeat."""
    jump: float = 0.0
    """Seconds between where he was and where he was told to go on with them, at most."""
    given_up: set[str] = field(default_factory=set)
    """Why he was told that nothing is left to play."""


@dataclass(slots=True)
class Part:
    """What was read from one release, without a gap."""

    title: str
    begin: int
    etag: str = ""
    """Of the answers with its bytes; empty before the first one."""
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return str(self.digest.hexdigest())


@dataclass(slots=True)
class Viewer:
    """One viewer of one session. Made by `watching()`."""

    api: httpx.AsyncClient
    player: httpx.AsyncClient
    started: dict[str, Any]
    size: int
    rate: float
    """Bytes per second."""
    beat_every: float
    duration: float
    patience: float = 1.0
    """How many times as long to wait as is said."""
    seen: Seen = field(default_factory=Seen)
    position: int = 0
    parts: list[Part] = field(default_factory=list)
    """What was read from which release, in order; one part unless the source was switched."""
    _url: str = ""
    _playing: int = 0
    _silent: bool = False
    _blow: Callable[[], None] | None = None
    _beyond: int = 0
    _patience: asyncio.Timeout | None = None
    _waiting_since: float = 0.0
    _unanswered_since: float = 0.0

    @property
    def session(self) -> str:
        return str(self.started["sessionId"])

    @property
    def seconds(self) -> float:
        """The position in the episode."""
        return self.duration * self.position / self.size

    async def reads(self, *, more: int, within: float) -> None:
        """Wait until so many more bytes came."""
        wanted = min(self.size, self.position + more)
        await eventually(lambda: None if self.position >= wanted else self._trouble(), within=within * self.patience)

    async def beats(self, *, more: int = 1, within: float) -> None:
        """Wait until so many more heartbeats were acknowledged."""
        wanted = self.seen.beats + more
        await eventually(lambda: None if self.seen.beats >= wanted else self._trouble(), within=within * self.patience)

    def falls_silent(self) -> None:
        """Send no more heartbeats: a newer one would hide what became of those before."""
        self._silent = True
        self._unanswered_since = self._unanswered_since or time.monotonic()

    def speaks_again(self) -> None:
        """Send heartbeats again."""
        self._silent = False

    async def strikes(self, blow: Callable[[], None], *, within: float) -> int:
        """Strike in the moment in which a heartbeat of another whole second is acknowledged; return that second.

        Silent from then on.
        """
        self._beyond, self._blow = int(self.seen.acknowledged), blow
        await eventually(lambda: self._trouble() if self._blow else None, within=within * self.patience)
        return int(self.seen.acknowledged)

    async def resumes(self, series: str, *, within: float) -> int:
        """Return the second from which the viewer would go on, as soon as anybody says it."""
        said: list[int] = []

        async def why_not_yet() -> str | None:
            try:
                answer = await self.api.get("/v1/resume", params={"seriesId": series})
            except httpx.HTTPError as error:
                return type(error).__name__
            if answer.status_code != 200:
                return f"{answer.status_code} {answer.text[:200]}"
            said.append(int(answer.json()["position_s"]))
            return None

        await eventually(why_not_yet, within=within * self.patience)
        return said[-1]

    async def to_the_end(self, *, within: float) -> None:
        """Read the rest as fast as it comes."""
        self.rate = _RUSH
        await self.reads(more=self.size, within=within)

    def came_right(self, files: Callable[[str], bytes]) -> bool:
        """Say whether all bytes that came, part by part, are those of the releases' files."""
        ends = [*(part.begin for part in self.parts[1:]), self.position]
        return all(
            hashlib.sha256(files(part.title)[part.begin : end]).hexdigest() == part.sha256
            for part, end in zip(self.parts, ends, strict=True)
        )

    @property
    def is_undisturbed(self) -> bool:
        """Whether he saw one release all the time, and never heard that anything is wrong with it."""
        return len(self.parts) == 1 and not self.seen.given_up

    def _trouble(self) -> str:
        return f"at {self.position} of {self.size}, {self.seen.beats} beats; {self.seen.refused[-3:]}"

    # Reading.

    async def read(self) -> None:
        """Read to the end, whatever happens to connections and nodes."""
        while self.position < self.size:
            self._waiting_since = time.monotonic()
            try:
                async with asyncio.timeout(None) as self._patience:
                    await self._read_on()
            except TimeoutError:
                self._broken("switched to another source")
            except httpx.HTTPError as error:
                self._broken(type(error).__name__)
            if self.position < self.size:
                self.seen.reopened += 1
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _read_on(self) -> None:
        headers = {"Range": f"bytes={self.position}-"}
        began, first = time.monotonic(), self.position
        async with self.player.stream("GET", self._url, headers=headers, follow_redirects=True) as answer:
            if answer.status_code != 206:
                self._broken(f"{answer.status_code} {(await answer.aread())[:200]!r}")
                await self._ask_where()
                return
            part = self._part_with(answer.headers["etag"])
            async for chunk in answer.aiter_bytes(_CHUNK):
                if part is not self.parts[-1]:
                    return  # another source was told in this moment
                now = time.monotonic()
                self.seen.longest_wait = max(self.seen.longest_wait, now - self._waiting_since)
                part.digest.update(chunk)
                self.position += len(chunk)
                await asyncio.sleep(max(0.0, (self.position - first) / self.rate - (now - began)))
                self._waiting_since = time.monotonic()

    def _part_with(self, etag: str) -> Part:
        """Return the part that an answer goes on with: a new one where it was led to another file (307).

        Which file that is, the next heartbeat tells.
        """
        if self.parts[-1].etag not in {"", etag}:
            self.parts.append(Part(_UNTOLD, self.position))
        self.parts[-1].etag = etag
        return self.parts[-1]

    async def _ask_where(self) -> None:
        """Ask for a fresh URL, as a player does that opens the session's stable address again."""
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.api.get(f"/v1/stream/{self.session}", follow_redirects=False)
            if answer.status_code == 307:
                self._url = answer.headers["location"]

    def _broken(self, what: str) -> None:
        self.seen.refused.append(f"{time.monotonic() - self._waiting_since:.1f} s: {what}")

    # Heartbeats.

    async def beat(self) -> None:
        """Send heartbeats for ever; one that is refused or lost is followed by the next."""
        while True:
            if self._silent:
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            position, began = self.seconds, time.monotonic()
            self._unanswered_since = self._unanswered_since or began
            try:
                answer = await self.api.post(
                    "/v1/session/heartbeat",
                    json={
                        "sessionId": self.session,
                        "position_s": position,
                        "duration_s": self.duration,
                        "playingPickId": self._playing,
                    },
                )
                if answer.status_code == 200:
                    self._acknowledged(answer.json(), position)
                else:
                    self._broken(f"heartbeat {answer.status_code} {answer.text[:200]}")
            except (httpx.HTTPError, json.JSONDecodeError) as error:
                self._broken(f"heartbeat {type(error).__name__}")
            await asyncio.sleep(self.beat_every if not self._unanswered_since else _PAUSE_SECONDS)

    def _acknowledged(self, body: dict[str, Any], position: float) -> None:
        silence = time.monotonic() - self._unanswered_since
        self.seen.longest_silence = max(self.seen.longest_silence, silence)
        self._unanswered_since = 0.0
        self.seen.beats += 1
        self.seen.acknowledged = position
        if self._blow and int(position) > self._beyond:
            blow, self._blow = self._blow, None
            self.falls_silent()
            blow()
        self.seen.next_ready = bool((body.get("nextHint") or {}).get("ready"))
        if body.get("givenUp"):
            self.seen.given_up.add(body["givenUp"]["reason"])
        if body.get("streamUrl"):
            self.seen.jump = max(self.seen.jump, abs(body["position_s"] - position))
            self._play(body["streamUrl"], body["pick"])
            self.seen.switched.append(body["pick"]["title"])
            if self._patience is not None:
                self._patience.reschedule(asyncio.get_running_loop().time())

    def _play(self, url: str, pick: dict[str, Any]) -> None:
        self._url, self._playing = url, pick["id"]
        if self.parts and self.parts[-1].title == _UNTOLD:
            self.parts[-1].title = pick["title"]
        else:
            self.parts.append(Part(pick["title"], self.position))

    async def watch(self) -> None:
        """Read and send heartbeats, until cancelled."""
        self._play(self.started["streamUrl"], self.started["pick"])
        async with asyncio.TaskGroup() as group:
            group.create_task(self.read())
            group.create_task(self.beat())


@asynccontextmanager
async def watching(
    base: str,
    started: dict[str, Any],
    *,
    api: httpx.AsyncClient,
    size: int,
    rate: float,
    beat_every: float,
    patience: float,
) -> AsyncIterator[Viewer]:
    """Watch a session that *api* started, until the context is left."""
    transport = httpx.AsyncHTTPTransport(socket_options=_SMALL_BUFFER)
    async with httpx.AsyncClient(base_url=base, transport=transport, timeout=_READ, trust_env=False) as player:
        viewer = Viewer(api, player, started, size, rate, beat_every, duration=60.0, patience=patience)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(viewer.watch())
            try:
                yield viewer
            finally:
                running.cancel()
