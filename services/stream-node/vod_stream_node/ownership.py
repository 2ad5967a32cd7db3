"""Which node owns which torrent, and what another one needs to take it over.

    owner:{infohash}     the owner's name; a minute, renewed by the owner
    recipe:{infohash}    metadata and trackers, as resume data without pieces (secret: trackers carry passkeys)

Two owners of one torrent are harmless: both download it for a while. So there is no lock: a claim is a SET NX, and
over a dead owner a plain SET. Ownership stays where the bytes are: a node claims whatever lies on its disk.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import timedelta

from redis.asyncio import Redis

from vod_runtime import Clock
from vod_stream_node.domain import Infohash
from vod_stream_node.register import Register, RegisterAway, text

_OWNED_SECONDS = 60
_CACHE_SECONDS = 1.0
_REMEMBERED = 10_000
_LARGEST_RECIPE = 2 << 20


class Ownership:
    """The owners of torrents, as the register has them; while it is away, as they were last known."""

    def __init__(self, register: Register, *, me: str, trust: timedelta, recipe_ttl: timedelta, clock: Clock) -> None:
        """*trust*: how long an owner is believed in whom the register does not know: it may just have been flushed."""
        self._register = register
        self._me = me
        self._trust = trust.total_seconds()
        self._recipe_ttl = recipe_ttl
        self._clock = clock
        self._known: OrderedDict[Infohash, tuple[str, float]] = OrderedDict()

    async def owner(self, infohash: Infohash) -> str | None:
        """Return the name of a torrent's owner, who need not live any more."""
        name, known_at = self._known.get(infohash, (None, 0.0))
        age = self._clock.monotonic() - known_at
        if name is not None and age < _CACHE_SECONDS:
            return name
        asked_at = self._clock.monotonic()
        try:
            found = await self._register.ask(lambda redis: redis.get(self._owner(infohash)))
        except RegisterAway:
            return name
        if found is None:
            return name if age < self._trust else None
        return self._remember(infohash, text(found), known_at=asked_at)

    async def owner_now(self, infohash: Infohash) -> str | None:
        """Return the owner's name as the register has it in this moment; None: nobody, or that can't be known."""
        asked_at = self._clock.monotonic()
        try:
            found = await self._register.ask(lambda redis: redis.get(self._owner(infohash)))
        except RegisterAway:
            return None
        return self._remember(infohash, text(found), known_at=asked_at) if found is not None else None

    async def claim(self, infohash: Infohash, name: str) -> str:
        """Make a node the owner of a torrent that has none; return who owns it now: another may have been faster."""

        async def claimed(redis: Redis) -> str:
            if await redis.set(self._owner(infohash), name, nx=True, ex=_OWNED_SECONDS):
                return name
            found = await redis.get(self._owner(infohash))
            return text(found) if found else name

        with suppress(RegisterAway):
            name = await self._register.ask(claimed)
        return self._remember(infohash, name, known_at=self._clock.monotonic())

    async def give(self, infohash: Infohash, name: str) -> None:
        """Make a node the owner of a torrent, whoever was."""
        self._remember(infohash, name, known_at=self._clock.monotonic())
        try:
            await self._register.ask(lambda redis: redis.set(self._owner(infohash), name, ex=_OWNED_SECONDS))
        except RegisterAway:
            return

    async def renew(self, held: Collection[Infohash]) -> None:
        """Renew this node's ownership of what it holds; what another one owns stays his."""
        torrents = list(held)
        if not torrents:
            return

        async def renewed(redis: Redis) -> list[str]:
            async with redis.pipeline(transaction=False) as pipe:
                for infohash in torrents:
                    pipe.set(self._owner(infohash), self._me, nx=True, ex=_OWNED_SECONDS)
                await pipe.execute()
            owners = [
                text(found) if found else self._me for found in await redis.mget([self._owner(one) for one in torrents])
            ]
            async with redis.pipeline(transaction=False) as pipe:
                for infohash, name in zip(torrents, owners, strict=True):
                    if name == self._me:
                        pipe.expire(self._owner(infohash), _OWNED_SECONDS)
                await pipe.execute()
            return owners

        asked_at = self._clock.monotonic()
        try:
            owners = await self._register.ask(renewed)
        except RegisterAway:
            return
        for infohash, name in zip(torrents, owners, strict=True):
            self._remember(infohash, name, known_at=asked_at)

    async def recipe(self, infohash: Infohash) -> bytes | None:
        """Return what is needed to take a torrent over, None when nobody has left it.

        Raises:
            RegisterAway: that can't be known now.
        """
        found = await self._register.ask(lambda redis: redis.get(self._recipe(infohash)))
        return found if isinstance(found, bytes) else None

    async def leave_recipe(self, infohash: Infohash, recipe: bytes) -> None:
        """Leave what is needed to take a torrent over."""
        if len(recipe) > _LARGEST_RECIPE:
            return  # the swarm tells it again
        try:
            await self._register.ask(lambda redis: redis.set(self._recipe(infohash), recipe, ex=self._recipe_ttl))
        except RegisterAway:
            return

    async def without_recipe(self, held: Iterable[Infohash]) -> list[Infohash]:
        """Return those torrents of whom nobody could be told now how to take them over."""
        torrents = list(held)

        async def missing(redis: Redis) -> list[Infohash]:
            async with redis.pipeline(transaction=False) as pipe:
                for infohash in torrents:
                    pipe.exists(self._recipe(infohash))
                there = await pipe.execute()
            return [infohash for infohash, count in zip(torrents, there, strict=True) if not count]

        try:
            return await self._register.ask(missing) if torrents else []
        except RegisterAway:
            return []

    def _remember(self, infohash: Infohash, name: str, *, known_at: float) -> str:
        """Remember an owner, unless there is newer knowledge: an answer may come after the torrent was given away."""
        newest, newest_at = self._known.get(infohash, (name, known_at))
        if newest_at > known_at:
            return newest
        self._known[infohash] = (name, known_at)
        self._known.move_to_end(infohash)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return name

    def _owner(self, infohash: Infohash) -> str:
        return self._register.key("owner", infohash)

    def _recipe(self, infohash: Infohash) -> str:
        return self._register.key("recipe", infohash)
