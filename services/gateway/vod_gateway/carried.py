"""What a viewer's device and link carry, and the direct sources in the order that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vod.catalog.v1 import catalog_service_pb2 as catalog
from vod.playback.v1 import playback_service_pb2 as playback
from vod.sources.v1 import sources_service_pb2 as sources

from vod_gateway.clients import Backends
from vod_gateway.device import DeviceId
from vod_gateway.mapping_content import SOURCE_KINDS, other_names
from vod_rpc import DeadlineExceeded, Unavailable

_CODECS = ("h264", "hevc", "av1", "dolby_vision")


@dataclass(frozen=True, slots=True)
class Limits:
    """0 and nothing where nobody said."""

    link_bitrate: int = 0
    device_bitrate: int = 0
    max_height: int = 0
    codecs: Sequence[str] = ()

    def instead(self, *, max_bitrate: int | None, max_height: int | None) -> "Limits":
        """Return limits in which what is said counts, 0 for none."""
        link = self.link_bitrate if max_bitrate is None else max_bitrate
        return replace(self, link_bitrate=link, max_height=self.max_height if max_height is None else max_height)


async def by_device(backends: Backends, device: DeviceId) -> Limits:
    """Return what is known of a device by its last start and heartbeats; nothing while playback can't be asked."""
    try:
        answer = await backends.playback.ListDevices(playback.ListDevicesRequest(device_id=device))
    except (Unavailable, DeadlineExceeded):
        return Limits()
    own = next((one for one in answer.devices if one.self), None)
    if own is None:
        return Limits()
    return Limits(
        link_bitrate=own.link_bitrate,
        device_bitrate=own.profile.max_bitrate,
        max_height=own.profile.max_height,
        codecs=[name for name in _CODECS if getattr(own.profile, name)],
    )


async def sources_of(
    backends: Backends, found: catalog.GetEpisodeResponse, limits: Limits
) -> sources.ListSourcesResponse:
    """Return the direct sources of an episode, best first."""
    key = found.episode.key
    content = sources.Content(
        series_id=key.series_id,
        season=key.season,
        episode=key.episode,
        kind=SOURCE_KINDS.get(found.series.kind, sources.CONTENT_KIND_SERIES),
        title=found.series.title,
        year=found.series.year,
        external_ids=found.series.external_ids,
        runtime=found.episode.runtime,
        other_names=other_names(found),
    )
    request = sources.ListSourcesRequest(
        content=content,
        max_bitrate=limits.link_bitrate,
        max_height=limits.max_height,
        device_bitrate=limits.device_bitrate,
        codecs=limits.codecs,
    )
    return await backends.sources.ListSources(request)
