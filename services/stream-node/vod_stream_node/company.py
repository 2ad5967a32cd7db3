"""A node among others: all that it needs for that, made in one place, when there is a register."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from vod_runtime import Runtime
from vod_storage import redis_client
from vod_stream_node.api import StreamServicer
from vod_stream_node.directory import Directory
from vod_stream_node.engine import Engine
from vod_stream_node.fleet import Fleet, lines
from vod_stream_node.forwarding import ForwardingServicer
from vod_stream_node.handover import Handover
from vod_stream_node.magnets import Reach
from vod_stream_node.metrics import Metrics
from vod_stream_node.ownership import Ownership
from vod_stream_node.pins import Pins
from vod_stream_node.placement import Member
from vod_stream_node.recipes import Recipes
from vod_stream_node.register import Register
from vod_stream_node.renewal import Renewal, active
from vod_stream_node.settings import Settings
from vod_stream_node.store import TorrentStore
from vod_stream_node.takeover import Takeover


@dataclass(frozen=True, slots=True)
class Company:
    """What a node does with others."""

    fleet: Fleet
    recipes: Recipes
    handover: Handover
    takeover: Takeover
    renewal: Renewal

    def servicer(self, own: StreamServicer) -> ForwardingServicer:
        """Return the servicer that calls the others where *own* is not the one to do it."""
        return ForwardingServicer(own, fleet=self.fleet, handover=self.handover, recipes=self.recipes)


@asynccontextmanager
async def company(
    redis_url: SecretStr,
    settings: Settings,
    runtime: Runtime,
    *,
    engine: Engine,
    store: TorrentStore,
    pins: Pins,
    reach: Reach,
    metrics: Metrics,
) -> AsyncIterator[Company]:
    """Connect to the register and to other nodes as they are needed, until the caller leaves the context."""
    clock, log = runtime.clock, runtime.log
    async with redis_client(redis_url) as redis, lines(runtime) as calling:
        register = Register(redis, fleet=settings.fleet, clock=clock, log=log)
        directory = Directory(
            register, me=_introduction(settings, engine, pins), lease=settings.lease, clock=clock, log=log
        )
        ownership = Ownership(
            register, me=settings.node_name, trust=settings.lease, recipe_ttl=settings.token_ttl, clock=clock
        )
        fleet = Fleet(directory, ownership, lines=calling, log=log)
        recipes = Recipes(ownership, store=store, reach=reach)
        handover = Handover(fleet, recipes, engine=engine, pins=pins, reach=reach, log=log)
        takeover = Takeover(
            fleet,
            recipes,
            handover,
            engine=engine,
            store=store,
            pins=pins,
            reach=reach,
            metrics=metrics,
            log=log,
        )
        metrics.nodes.set_function(lambda: 1 + len(directory.others))
        yield Company(
            fleet=fleet,
            recipes=recipes,
            handover=handover,
            takeover=takeover,
            renewal=Renewal(fleet, recipes, engine=engine, store=store, log=log),
        )


def _introduction(settings: Settings, engine: Engine, pins: Pins) -> Callable[[], Member]:
    """Return what says how this node is now."""

    def me() -> Member:
        return Member(
            name=settings.node_name,
            target=settings.target,
            public_base=settings.public_base,
            peer=f"{settings.peer_host}:{engine.peer_port}",
            load=len(active(engine)),
            draining=pins.draining,
            full=any(torrent.disk_is_full for torrent in engine.torrents.values()),
        )

    return me
