"""Ten thousand titles are refreshed within what the providers allow: on a clock of our own, the hosts count.

Some of them always fail: they hold nobody up, nor does one host the other.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import structlog

from vod_catalog.domain import ANIME, Season, Series, SeriesId, StoredTitle, Title
from vod_catalog.hosts import Host, State
from vod_catalog.jikan import Jikan
from vod_catalog.titles import Provider, Titles
from vod_catalog.tmdb import MOVIE, TV, Tmdb
from vod_catalog.upstream import Limits, Upstream
from vod_rpc import take_off

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
FILMS, SHOWS, ANIMES = 6_000, 3_000, 1_000
BROKEN = frozenset({17, 18, 19, 20, 400, 401, 402, 999})
"""Numbers of titles, in each namespace, whose page always has an error inside."""
ROUND = timedelta(minutes=10)


class VirtualClock:
    """A clock that goes on when somebody waits, to the earliest moment that anybody waits for."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        until, woken = self._seconds + seconds, asyncio.get_running_loop().create_future()
        self._waiting.append((until, woken))
        await woken

    async def run(self, job: asyncio.Task[None]) -> None:
        """Let a job run to its end, however long that takes by this clock."""
        while not job.done():
            # Everybody else gets to where they wait, too.
            for _ in range(20):
                await asyncio.wait({job}, timeout=0)
            if self._waiting and not job.done():
                self._waiting.sort(key=lambda one: one[0])
                self._seconds, woken = self._waiting.pop(0)
                woken.set_result(None)
        job.result()


class CountingHost:
    """TMDb and Jikan on the wire, as far as a refresh asks: notes when it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.asked: dict[str, list[float]] = {"tmdb": [], "jikan": []}

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.url.host].append(self._clock.monotonic())
        path = request.url.path.strip("/").split("/")
        if int(path[1]) in BROKEN:
            return httpx.Response(200, json={"status_code": 43, "status_message": "busy"})
        if request.url.host == "jikan":
            rows = [{"mal_id": 1, "title": "One", "aired": None}]
            entry = {"mal_id": int(path[1]), "title": "A", "type": "Movie", "episodes": 1}
            return httpx.Response(200, json={"data": rows if path[-1] == "episodes" else entry})
        if path[-2:-1] == ["season"]:
            return httpx.Response(200, json={"episodes": [{"episode_number": 1, "name": "One"}]})
        seasons = [{"season_number": 1}] if path[0] == "tv" else []
        return httpx.Response(200, json={"id": int(path[1]), "name": "A", "seasons": seasons})


class Shelf:
    """Titles that are due, in memory; what is saved is due no more, and what failed is behind the others."""

    def __init__(self) -> None:
        self.due = {
            namespace: [SeriesId(f"{namespace}:{n}") for n in range(count, 0, -1)]
            for namespace, count in ((MOVIE, FILMS), (TV, SHOWS), (ANIME, ANIMES))
        }
        self.behind: dict[SeriesId, tuple[int, datetime]] = {}
        """Failures, and until when each is left alone."""
        self.saved: dict[str, list[timedelta]] = {namespace: [] for namespace in self.due}

    async def load(self, series_id: SeriesId) -> StoredTitle | None:
        return None

    async def series(self, series_id: SeriesId) -> Series | None:
        return None

    async def listed(self, series_id: SeriesId) -> Series | None:
        return None

    async def save_listing(self, provider: str, query: str, titles: Sequence[Series], *, at: datetime) -> None:
        return None

    async def season_of(self, mal: int) -> Season | None:
        return None

    async def save(self, title: Title, *, at: datetime, due_at: datetime) -> None:
        self.saved[title.series.id.rpartition(":")[0]].append(at - BEGIN)

    async def claim(self, series_id: SeriesId, *, now: datetime, until: datetime) -> bool:
        return True

    async def claim_due(self, namespaces: Sequence[str], *, now: datetime, until: datetime) -> SeriesId | None:
        if waiting := next((self.due[name] for name in namespaces if self.due[name]), None):
            return waiting.pop()
        ready = (
            one for one, (_, retry_at) in self.behind.items() if retry_at <= now and one.startswith(tuple(namespaces))
        )
        return next(ready, None)

    async def note_changes(self, changed: Sequence[SeriesId], *, now: datetime, soonest: timedelta) -> int:
        return 0

    async def put_off(self, series_id: SeriesId, *, until: datetime) -> None:
        raise AssertionError(f"{series_id} was not asked for")

    async def failed(self, series_id: SeriesId, *, at: datetime, pause: timedelta, longest: timedelta) -> None:
        failures, _ = self.behind.get(series_id, (0, at))
        self.behind[series_id] = (failures + 1, at + min(pause * 2**failures, longest))


class NoStates:
    """Nothing is left alone."""

    async def load(self, host: str) -> State | None:
        return None

    async def save(self, host: str, state: State) -> None:
        raise AssertionError(f"{host} was left alone")

    async def forget(self, host: str) -> None: ...


def most_within(times: Sequence[float], seconds: float) -> int:
    """Return how many requests there were at most in any time of that length."""
    return max(bisect_left(times, one + seconds) - at for at, one in enumerate(times))


async def test_ten_thousand_titles_are_refreshed_within_what_the_providers_allow() -> None:
    clock = VirtualClock()
    host, shelf = CountingHost(clock), Shelf()
    log = structlog.wrap_logger(structlog.testing.ReturnLogger(), processors=[lambda *_: ""])
    async with (
        take_off() as flights,
        httpx.AsyncClient(base_url="http://tmdb", transport=httpx.MockTransport(host.answer)) as to_tmdb,
        httpx.AsyncClient(base_url="http://jikan", transport=httpx.MockTransport(host.answer)) as to_jikan,
    ):

        def upstream(http: httpx.AsyncClient, name: str, limits: Limits) -> Upstream:
            breaker = Host(name, states=NoStates(), clock=clock, log=log)
            return Upstream(http, name=name, limits=limits, host=breaker, clock=clock, sleep=clock.sleep)

        tmdb = Tmdb(upstream(to_tmdb, "TMDb", Limits(20, burst=20)), image_base="")
        jikan = Jikan(upstream(to_jikan, "Jikan", Limits(0.8, burst=3)), clock=clock)
        titles = Titles(
            shelf,
            providers={TV: tmdb, MOVIE: tmdb, ANIME: jikan},
            second={},
            flights=flights,
            clock=clock,
            log=log,
            ttl=timedelta(hours=24),
        )

        async def may_go_on() -> bool:
            return True

        async def refresh_for_a_day(provider: Provider) -> None:
            while clock.now() < BEGIN + timedelta(days=1):
                await titles.refresh_due(provider.namespaces, may_go_on=may_go_on)
                await clock.sleep(ROUND.total_seconds())

        async def refresh_all() -> None:
            async with asyncio.TaskGroup() as group:
                for provider in (tmdb, jikan):
                    group.create_task(refresh_for_a_day(provider))

        await clock.run(asyncio.create_task(refresh_all()))

    assert {name: len(saved) for name, saved in shelf.saved.items()} == {
        MOVIE: FILMS - len(BROKEN),
        TV: SHOWS - len(BROKEN),
        ANIME: ANIMES - len(BROKEN),
    }
    # TMDb: about 40 a second are allowed; Jikan: 3 a second and 60 a minute.
    assert most_within(host.asked["tmdb"], 1.0) <= 40
    assert most_within(host.asked["jikan"], 1.0) <= 3
    assert most_within(host.asked["jikan"], 60.0) <= 60
    # Slower than they allow would be a fault as well: nobody waits for who fails, nor for the other host.
    assert max(shelf.saved[MOVIE] + shelf.saved[TV]) <= timedelta(hours=2)
    assert max(shelf.saved[ANIME]) <= timedelta(hours=4)
    # Each failing title is asked for after 15 minutes, 30, an hour … and at last once a day.
    in_vain = len(host.asked["tmdb"]) - (FILMS + 2 * SHOWS - 3 * len(BROKEN))
    assert 2 * len(BROKEN) <= in_vain <= 2 * len(BROKEN) * 8
