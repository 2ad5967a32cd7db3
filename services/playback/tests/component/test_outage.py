"""Postgres is away: whoever asks for anything learns that it is worth trying again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import Failure, Unavailable
from vod_testing import eventually


@dataclass
class Relay:
    """The way to Postgres, which can be cut."""

    socket: str
    cut: bool = False
    ends: set[asyncio.StreamWriter] = field(default_factory=set)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.cut:
            writer.close()
            return
        back, forth = await asyncio.open_unix_connection(self.socket)
        self.ends |= {writer, forth}
        await asyncio.gather(_pump(reader, forth), _pump(back, writer))

    def break_off(self) -> None:
        self.cut = True
        for end in self.ends:
            end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
    except ConnectionError:
        pass  # it was cut
    finally:
        writer.close()


@asynccontextmanager
async def relayed(dsn: str) -> AsyncIterator[tuple[Relay, SecretStr]]:
    parts = urlsplit(dsn)
    relay = Relay(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{parts.port or 5432}")
    async with await asyncio.start_server(relay.carry, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield relay, SecretStr(f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}")
        relay.break_off()


def start(episode: int) -> pb2.StartSessionRequest:
    key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)
    return pb2.StartSessionRequest(key=key, device=scoring_pb2.DeviceProfile(h264=True), device_id="tv")


async def test_while_postgres_is_away_every_answer_says_that_it_may_be_tried_again(
    settings: Any, open_playback: Any, pg_dsn: str
) -> None:
    async with (
        relayed(pg_dsn) as (relay, dsn),
        open_playback(settings.model_copy(update={"pg_dsn": dsn})) as running,
    ):
        playback = running.stub
        session = (await playback.StartSession(start(1))).session.id
        calls = {
            "beat": (playback.RecordHeartbeat, pb2.RecordHeartbeatRequest(session_id=session, position=Duration())),
            "end": (playback.EndSession, pb2.EndSessionRequest(session_id=session)),
            "start": (playback.StartSession, start(2)),
            "next": (playback.GetNext, pb2.GetNextRequest(session_id=session)),
            "stream": (playback.GetStream, pb2.GetStreamRequest(session_id=session)),
            "resume": (playback.GetResume, pb2.GetResumeRequest(device_id="tv")),
            "continuations": (playback.ListContinuations, pb2.ListContinuationsRequest(device_id="tv")),
            "sessions": (playback.ListSessions, pb2.ListSessionsRequest()),
            "changes": (playback.AwaitChanges, pb2.AwaitChangesRequest(session_id=session)),
        }

        relay.break_off()
        said = {}
        for name, (call, request) in calls.items():
            with pytest.raises(Failure) as failed:
                await call(request)
            said[name] = (type(failed.value), failed.value.reason)
        relay.cut = False

        async def why_not_back() -> str | None:
            try:
                await playback.EndSession(pb2.EndSessionRequest(session_id=session))
            except Unavailable as failure:
                return str(failure)
            return None

        await eventually(why_not_back, within=20)

    assert said == dict.fromkeys(calls, (Unavailable, "STORE_UNAVAILABLE"))
