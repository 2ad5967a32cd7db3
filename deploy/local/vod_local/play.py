"""`vod play`: find a title, start a session, open a player, and report where it is."""

import asyncio
import os
import re
import signal
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from vod_local import hints
from vod_local.api_client import ApiClient, Session, Title
from vod_local.errors import BadConfiguration, LocalFailure, PlayerUnusable
from vod_local.folders import data_folder
from vod_local.player import Player, Position, Remote, find_player, named_player, opened
from vod_local.status import running_record

HEARTBEAT_EVERY = timedelta(seconds=10)
LOOK_EVERY = timedelta(seconds=1)
EPISODE = re.compile(r"s(?P<season>\d{1,4})e(?P<episode>\d{1,5})", re.IGNORECASE)
COOKIE_FILE = "play-cookie"
TERMINATED = 128 + signal.SIGTERM


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """What the command line says."""

    data: Path | None
    title: str
    episode: tuple[int, int] | None
    """None: where this machine stopped watching, else the first one."""
    player: Path | None
    """None: only print the URL."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is played, and from where (seconds)."""

    title: Title
    season: int
    episode: int
    position: float

    @property
    def label(self) -> str:
        """Name it for people."""
        return self.title.name if self.title.kind == "movie" else f"{self.title.name} S{self.season}E{self.episode}"


class TitleNotFound(LocalFailure):
    """There is no such title, or more than one."""

    exit_code = 7


def parse_episode(text: str) -> tuple[int, int]:
    """Read `S1E2`.

    Raises BadConfiguration for any other text.
    """
    match = EPISODE.fullmatch(text)
    if not match:
        raise BadConfiguration(f"{text!r} is not an episode; write it like S1E2.")
    return int(match["season"]), int(match["episode"])


def main(options: PlayOptions) -> int:
    """Play; give the exit code. SIGTERM closes the player too."""
    try:
        return asyncio.run(_until_terminated(options))
    except asyncio.CancelledError:
        return TERMINATED


async def _until_terminated(options: PlayOptions) -> int:
    work = asyncio.ensure_future(play(options))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    return await work


async def play(options: PlayOptions) -> int:
    """Start a session and stay until the player is closed."""
    data = data_folder(options.data, os.environ)
    record = running_record(data)
    cookie_file = data / COOKIE_FILE
    async with ApiClient(record.address, cookie=_read(cookie_file)) as api:
        start = await _choose(api, options)
        print(f"{start.label}: looking for it …", flush=True)
        session = await api.start(start.title.series_id, start.season, start.episode)
        _keep(cookie_file, api.cookie)
        print(f"Release: {session.release}")
        print(f"Stream:  {session.stream_url}", flush=True)
        if options.player is None:
            return 0
        if start.position:
            print(f"It goes on at {timedelta(seconds=round(start.position))}.")
        try:
            async with opened(options.player, session.stream_url, title=start.label, start=start.position) as player:
                await _follow(api, session, player)
        except PlayerUnusable:
            with suppress(LocalFailure):  # the player is what the viewer must hear of
                await api.ended(session.id)
            raise
        await _say_goodbye(api, session, start, data)
    return 0


async def _choose(api: ApiClient, options: PlayOptions) -> Start:
    title = best_title(options.title, await api.titles(options.title))
    if options.episode:
        return Start(title, *options.episode, position=0.0)
    point = await api.resume_point(title.series_id)
    return Start(title, point.season, point.episode, point.position) if point else Start(title, 1, 1, position=0.0)


def best_title(query: str, found: Sequence[Title]) -> Title:
    """Take the title of exactly this name, else the only one.

    Raises TitleNotFound, with the choice, otherwise.
    """
    exact = [title for title in found if title.name.casefold() == query.casefold()]
    candidates = exact or list(found)
    if len(candidates) == 1 or exact:
        return candidates[0]
    if not candidates:
        raise TitleNotFound(f"No title is called {query!r}.")
    choice = "\n".join(f"  {title.name} ({title.year or '?'}, {title.kind or '?'})" for title in candidates[:10])
    raise TitleNotFound(f"Several titles fit {query!r}; write the whole name:\n{choice}")


async def _follow(api: ApiClient, session: Session, player: Player) -> None:
    """Send heartbeats with mpv's own position until the player closes; without mpv none, rather than invented ones."""
    latest: deque[Position] = deque(maxlen=1)
    async with player.remote() as remote:
        if remote is None:
            await player.closed()
            return
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(_watch(api, session, remote, latest))
            await player.closed()
            watching.cancel()
    for position in latest:
        await _beat(api, session, position)


async def _watch(api: ApiClient, session: Session, remote: Remote, latest: deque[Position]) -> None:
    """Look every second, so that the last known position is fresh when the player closes; tell it every ten."""
    clock = asyncio.get_running_loop().time
    told = -HEARTBEAT_EVERY.total_seconds()
    while True:
        position = await remote.position()
        if position is not None:
            latest.append(position)
            if clock() - told >= HEARTBEAT_EVERY.total_seconds():
                told = clock()
                await _beat(api, session, position)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def _beat(api: ApiClient, session: Session, position: Position) -> None:
    try:
        await api.heartbeat(session.id, position.at, position.duration)
    except LocalFailure as failure:
        print(f"The position could not be stored: {failure}", flush=True)


async def _say_goodbye(api: ApiClient, session: Session, start: Start, data: Path) -> None:
    following = await api.ended(session.id)
    if following:
        season, episode = following
        print(f'Next: {hints.vod("play", data)} "{start.title.name}" S{season}E{episode}')


def chosen_player(wanted: str | None) -> Path | None:
    """Give the player to open; say so when there is none.

    Raises BadConfiguration when the wanted one is not there.
    """
    player = named_player(wanted) if wanted else find_player()
    if player is None:
        print("No mpv or VLC is installed: open the URL below in any player.")
    return player


def _read(cookie_file: Path) -> str | None:
    try:
        return cookie_file.read_text().strip() or None
    except OSError:
        return None


def _keep(cookie_file: Path, cookie: str | None) -> None:
    """Keep who we are, so that the next `vod play` can go on where this one stopped."""
    if cookie:
        cookie_file.touch(mode=0o600)
        cookie_file.write_text(cookie)
