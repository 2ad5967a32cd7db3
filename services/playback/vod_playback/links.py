"""What devices' links carry, as their players measure it."""

from vod_playback.films import MEASURED_FOR, Link
from vod_playback.pool import Pool
from vod_storage import Database

_MEASURED = """
    INSERT INTO links (device_id, bitrate) SELECT device_id, $2 FROM sessions WHERE id = $1
    ON CONFLICT (device_id) DO UPDATE SET bitrate = (links.bitrate + excluded.bitrate) / 2"""
_LINK = "SELECT bitrate FROM links WHERE device_id = $1 AND updated_at > now() - $2::interval"


class DeviceLinks:
    """The links of devices, in Postgres; each measurement counts half."""

    def __init__(self, database: Database) -> None:
        self._pool = Pool(database)

    async def measured(self, session_id: str, bitrate: int) -> None:
        """Keep what a session's player measured, in bits per second."""
        await self._pool.execute(_MEASURED, session_id, bitrate)

    async def link(self, device_id: str) -> Link:
        """Return what the device's link carried lately."""
        return Link(await self._pool.fetchval(_LINK, device_id, MEASURED_FOR) or 0)
