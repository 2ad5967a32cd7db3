"""Finding sources: all providers at once, looked at before they are offered, each with a spare on another host."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock
from vod_sources.domain import Content, Play, Scope, StreamSource, Wanted, in_order
from vod_sources.errors import SourceRefused
from vod_sources.expiry import renew_at
from vod_sources.guard import UnwellError
from vod_sources.probing import Probe
from vod_sources.providers import Provider
from vod_sources.store import Store

PROVIDER_FAILED = "provider_failed"
SOURCE_NOT_WELL = "source_not_well"

_MOST_PROBED = 6
_KEPT_FOR = timedelta(days=2)
_HELD_FOR = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Offer:
    """A source that may be played, and whether it was well just now."""

    play: Play
    is_healthy: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Sources, best first, and by address whether the first of them are well."""

    ordered: Sequence[StreamSource]
    healthy: Mapping[str, bool]
    wanted: Wanted

    def is_well(self, source: StreamSource) -> bool:
        return self.healthy.get(source.url, False)

    def can_play(self, source: StreamSource) -> bool:
        """Tell whether a player may go on with it: it is well, and the device decodes it."""
        return self.is_well(source) and self.wanted.decodes(source)

    def spare_of(self, source: StreamSource) -> StreamSource | None:
        """Return the best other one that is well, on another host, and that a player could go on with."""
        others = (one for one in self.ordered if one.host != source.host and one.may_stand_in_for(source))
        return next((one for one in others if self.can_play(one)), None)


class Finding:
    """The use cases of finding."""

    def __init__(
        self,
        providers: Sequence[Provider],
        probe: Probe,
        *,
        editorial: Sequence[Provider],
        patience: timedelta,
        patience_with_hosts: timedelta,
        store: Store,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._providers = providers
        self._editorial = editorial
        self._patience = patience
        self._patience_with_hosts = patience_with_hosts
        self._probe = probe
        self._store = store
        self._clock = clock
        self._log = log

    async def offers(self, content: Content, *, wanted: Wanted, scope: Scope = Scope.ALL) -> list[Offer]:
        """Return what can be played, best first; a provider that fails is left out."""
        found = await self.look(content, wanted=wanted, scope=scope)
        offers = [
            Offer(Play(secrets.token_hex(16), content, one, found.spare_of(one), wanted), found.is_well(one))
            for one in found.ordered
        ]
        if offers:
            await self._store.save([offer.play for offer in offers])
            await self._store.sweep(older_than=_KEPT_FOR, held_older_than=_HELD_FOR)
        return offers

    async def look(self, content: Content, *, wanted: Wanted, scope: Scope = Scope.ALL) -> Found:
        """Ask providers and look at what they name."""
        asked = [*self._editorial, *(self._providers if scope is Scope.ALL else ())]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(provider, content)) for provider in asked]
        named = [source for task in tasks for source in task.result()]
        if not named:
            return Found((), {}, wanted)
        success = await self._store.success()
        first = in_order(named, wanted=wanted, healthy={one.url: True for one in named}, success=success)
        async with asyncio.TaskGroup() as group:
            probes = [group.create_task(self.looked_at(one, runtime=content.runtime)) for one in first[:_MOST_PROBED]]
        seen = [task.result() for task in probes]
        healthy = {one.url: well is not None for one, well in zip(first, seen, strict=False)}
        known = [better or one for one, better in zip(first, [*seen, *first[len(seen) :]], strict=True)]
        return Found(in_order(known, wanted=wanted, healthy=healthy, success=success), healthy, wanted)

    async def looked_at(self, source: StreamSource, *, runtime: timedelta = timedelta()) -> StreamSource | None:
        """Return the source with what its first bytes tell, None if it is not well; its host's history counts it."""
        seen: StreamSource | None = None
        try:
            async with asyncio.timeout(self._patience_with_hosts.total_seconds()):
                seen = await self._probe.look(source, runtime=runtime)
        except (UnwellError, SourceRefused, ValueError, OverflowError, TimeoutError) as error:
            self._log.info(SOURCE_NOT_WELL, provider=source.provider, problem=_problem(error))
        await self._store.count(source, success=seen is not None)
        return seen

    async def _ask(self, provider: Provider, content: Content) -> list[StreamSource]:
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                found = await provider.find(content)
        except (UnwellError, SourceRefused, TimeoutError) as error:
            self._log.warning(PROVIDER_FAILED, provider=provider.name, problem=_problem(error))
            return []
        except Exception as error:  # noqa: BLE001  whatever a stranger's data breaks, the other providers answer
            # Its kind only: its message may quote an address.
            problem = f"What it answered can't be read ({type(error).__name__})."
            self._log.warning(PROVIDER_FAILED, provider=provider.name, problem=problem)
            return []
        now = self._clock.now()
        return [
            replace(one, renew_at=renew_at(one.expires_at, found_at=now)) if one.expires_at else one
            for one in found
            if not one.expires_at or one.expires_at > now
        ]


def _problem(error: Exception) -> str:
    """Return a sentence for the operator. Nothing that could hold an address: those are secrets."""
    if isinstance(error, UnwellError):
        if error.problem:
            return error.problem
        return f"It answered with status {error.status}." if error.status else "It did not answer."
    if isinstance(error, SourceRefused):
        return str(error)
    return "It took too long." if isinstance(error, TimeoutError) else "It is no playlist."
