"""The description is kept: whatever is sent, the answer is one that it names, and never a crash."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_service_pb2
from vod.picks.v1 import picks_service_pb2 as picks
from vod.playback.v1 import playback_service_pb2 as playback
from vod.sources.v1 import sources_service_pb2 as sources
from vod.stream.v1 import stream_service_pb2 as stream
from vod.subtitles.v1 import subtitles_service_pb2 as subtitles


@pytest.fixture(autouse=True)
def _all_answer(fakes, samples) -> None:
    running = subtitles.Alignment(track="17", reference="21", state=subtitles.ALIGNMENT_STATE_RUNNING)
    fakes.answers |= {
        "StartSession": samples.started,
        "RecordHeartbeat": playback.RecordHeartbeatResponse(next_hint=samples.hint),
        "EndSession": playback.EndSessionResponse(next_pick=samples.pick, autoplay_in=Duration(seconds=10)),
        "GetNext": playback.GetNextResponse(next_hint=samples.hint),
        "OverridePick": playback.OverridePickResponse(pick=samples.pick, stream_url=samples.stream_url),
        "GetResume": playback.GetResumeResponse(key=samples.key, pick=samples.pick),
        "AwaitChanges": playback.AwaitChangesResponse(ended=True),
        "ListContinuations": playback.ListContinuationsResponse(),
        "ListDevices": playback.ListDevicesResponse(),
        "GetStream": playback.GetStreamResponse(stream_url=samples.stream_url),
        "GetProgress": playback.GetProgressResponse(pin=stream.Pin(file_name="a.mkv", size_bytes=1)),
        "ListSessions": playback.ListSessionsResponse(sessions=[samples.session]),
        "SearchTitles": catalog_service_pb2.SearchTitlesResponse(),
        "ListEpisodes": catalog_service_pb2.ListEpisodesResponse(),
        "GetSubtitle": subtitles.GetSubtitleResponse(webvtt="WEBVTT\n", script="[Script Info]\n", etag="e"),
        "ListSubtitles": subtitles.ListSubtitlesResponse(tracks=[subtitles.SubtitleTrack(id="17", lang="en")]),
        "SetTiming": subtitles.SetTimingResponse(track=subtitles.SubtitleTrack(id="17", lang="en")),
        "AlignTrack": subtitles.AlignTrackResponse(alignment=running),
        "GetAlignment": subtitles.GetAlignmentResponse(alignment=running),
        "GetFont": subtitles.GetFontResponse(font=subtitles.Font(content_type="font/ttf"), content=b"font"),
        "ListWatched": playback.ListWatchedResponse(),
        "RecordProgress": playback.RecordProgressResponse(),
        "ListTrending": catalog_service_pb2.ListTrendingResponse(),
        "GetEpisode": catalog_service_pb2.GetEpisodeResponse(),
        "GetSkipRanges": catalog_service_pb2.GetSkipRangesResponse(),
        "GetImage": catalog_service_pb2.GetImageResponse(content_type="image/png", data=b"png"),
        "ListSources": sources.ListSourcesResponse(),
        "ReadPart": sources.ReadPartResponse(content_type="video/mp4", data=b"film", total_size=4),
        "ResolveEpisode": catalog_service_pb2.ResolveEpisodeResponse(ref="mal:anime:1:1"),
        "SetMapping": catalog_service_pb2.SetMappingResponse(),
        "ListMappings": catalog_service_pb2.ListMappingsResponse(),
        "DeleteMapping": catalog_service_pb2.DeleteMappingResponse(),
        "ListPicks": picks.ListPicksResponse(picks=[samples.pick]),
        "ListCandidates": picks.ListCandidatesResponse(candidates=[picks.RankedRelease(ranking=samples.ranking)]),
        "RejectPick": picks.RejectPickResponse(rejected=samples.pick),
        "ListPins": stream.ListPinsResponse(node="node-1"),
    }


async def test_whatever_is_sent_the_answer_is_as_described(run_gateway, samples, tmp_path) -> None:
    unlimited = {"search_burst": 10**6, "titles_burst": 10**6}
    async with run_gateway(**unlimited) as (_, endpoint):
        command = [
            *("run", f"http://{endpoint.address}/openapi.json", "--no-color", "--seed=1", "--max-examples=5"),
            *("--phases=examples,fuzzing", "--checks=all", "--max-redirects=0", "--generation-database=none"),
            "--suppress-health-check=too_slow",
            *("--header", f"X-Api-Key: {samples.admin_key}"),
            # More admin routes, and the wrong keys that are tried on each would make the address wait.
            *("--exclude-method", "PUT", "--exclude-method", "DELETE"),
            *("--exclude-path-regex", "/v1/(picks/.*(reject|diff)|aliases)$"),
        ]
        # `schemathesis` as a module would read a configuration of the folder it is started in.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", *command), cwd=tmp_path, stdout=PIPE, stderr=STDOUT
        )
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()[-6000:]
