"""/v1/session/…: what is asked reaches playback, what playback says reaches the viewer."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1.picks_service_pb2 import RankedRelease
from vod.playback.v1 import playback_pb2
from vod.playback.v1 import playback_service_pb2 as playback
from vod.scoring.v1 import scoring_pb2 as scoring

from vod_testing import eventually


async def test_a_session_starts_with_a_pick_an_address_and_what_comes_next(http, fakes, samples) -> None:
    fakes.answers["StartSession"] = samples.started
    answer = await http.post("/v1/session/start", json=samples.start)

    assert answer.status_code == 200
    assert answer.json() == {
        "sessionId": "session-1",
        "pick": samples.pick_json,
        "source": {
            "type": "torrent",
            "quality": samples.pick_json["resolution"],
            "provider": "torrent",
            "collection": "",
            "reasons": samples.pick_json["reasons"],
        },
        "streamUrl": samples.stream_url,
        "nextHint": samples.hint_json,
    }


async def test_a_session_may_play_a_direct_source_which_has_no_pick(http, fakes, samples) -> None:
    fakes.answers["StartSession"] = playback.StartSessionResponse(
        session=samples.started.session,
        stream_url="http://vod.example/v1/play/1/master.m3u8",
        direct=playback_pb2.DirectStream(
            type="hls", provider="mirror", quality="1080p", reasons=["no torrent can be played"]
        ),
    )
    answer = (await http.post("/v1/session/start", json=samples.start)).json()

    assert answer["pick"] is None
    assert answer["streamUrl"] == "http://vod.example/v1/play/1/master.m3u8"
    assert answer["source"] == {
        "type": "hls",
        "quality": "1080p",
        "provider": "mirror",
        "collection": "",
        "reasons": ["no torrent can be played"],
    }


async def test_what_the_device_can_do_reaches_playback(http, fakes, samples) -> None:
    fakes.answers["StartSession"] = samples.started
    caps = {
        "h264": False,
        "hevc": True,
        "av1": True,
        "hi10p": True,
        "hdr": True,
        "dv": True,
        "maxBitrate": 20_000_000,
        "maxHeight": 1080,
        "audioLanguages": ["ja", "en"],
        "subtitleLanguages": ["de", "en"],
    }
    body = {**samples.start, "deviceCaps": caps, "subjectId": "anna"}
    await http.post("/v1/session/start", json=body, headers={"Idempotency-Key": "once-1"})

    [asked] = fakes.asked["StartSession"]
    assert asked == playback.StartSessionRequest(
        key=EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=3),
        device=scoring.DeviceProfile(
            hevc=True,
            av1=True,
            hi10p=True,
            hdr=True,
            dolby_vision=True,
            max_height=1080,
            max_bitrate=20_000_000,
            audio_languages=["ja", "en"],
        ),
        device_id=asked.device_id,
        subject_id="anna",
        request_id="once-1",
        subtitle_languages=["de", "en"],
    )


async def test_a_device_that_says_nothing_shows_h264_and_reads_what_its_browser_reads(http, fakes, samples) -> None:
    fakes.answers["StartSession"] = samples.started
    await http.post("/v1/session/start", json=samples.start, headers={"Accept-Language": "de-AT,en;q=0.5"})

    [asked] = fakes.asked["StartSession"]
    assert asked.device == scoring.DeviceProfile(h264=True)
    assert list(asked.subtitle_languages) == ["de", "en"]


async def test_the_last_episode_has_no_next_hint(http, fakes, samples) -> None:
    last = playback.StartSessionResponse()
    last.CopyFrom(samples.started)
    last.session.ClearField("next_hint")
    fakes.answers["StartSession"] = last
    answer = await http.post("/v1/session/start", json=samples.start)

    assert answer.json()["nextHint"] is None


async def test_a_heartbeat_is_stored_and_told_what_is_ready(http, fakes, samples) -> None:
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse(next_hint=samples.hint)
    body = {"sessionId": "session-1", "position_s": 612.25, "duration_s": 1260, "buffered_s": 45, "bitrate_estimate": 9}
    answer = await http.post("/v1/session/heartbeat", json=body)

    assert answer.json() == {"ok": True, "nextHint": samples.hint_json}
    assert fakes.asked["RecordHeartbeat"] == [
        playback.RecordHeartbeatRequest(
            session_id="session-1",
            position=Duration(seconds=612, nanos=250_000_000),
            duration=Duration(seconds=1260),
            buffered=Duration(seconds=45),
            bitrate_estimate=9,
        )
    ]


async def test_a_heartbeats_count_and_time_reach_playback(http, fakes) -> None:
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse()
    body = {"sessionId": "s", "position_s": 1, "sequence": 61.0, "eventTime": "2026-11-18T12:06:40.250+01:00"}
    answer = await http.post("/v1/session/heartbeat", json=body)

    assert answer.status_code == 200, answer.text
    [asked] = fakes.asked["RecordHeartbeat"]
    assert asked.sequence == 61
    assert asked.event_time == Timestamp(seconds=1_795_000_000, nanos=250_000_000)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59"])
async def test_a_clock_that_was_never_set_says_nothing(http, fakes, at) -> None:
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse()
    answer = await http.post("/v1/session/heartbeat", json={"sessionId": "s", "position_s": 1, "eventTime": at})

    assert answer.status_code == 200, answer.text
    assert not fakes.asked["RecordHeartbeat"][0].HasField("event_time")


@pytest.mark.parametrize("wrong", [{"sequence": -1}, {"sequence": 2**53}, {"eventTime": "2026-11-18T12:00:00"}])
async def test_a_count_or_time_that_makes_no_sense_is_refused(http, wrong) -> None:
    answer = await http.post("/v1/session/heartbeat", json={"sessionId": "s", "position_s": 1, **wrong})

    assert answer.status_code == 400


async def test_numbers_may_be_written_as_javascript_measures_them(http, fakes, samples) -> None:
    fakes.answers |= {"RecordHeartbeat": playback.RecordHeartbeatResponse(), "StartSession": samples.started}
    await http.post("/v1/session/heartbeat", json={"sessionId": "s", "position_s": 1, "bitrate_estimate": 1499.5})
    await http.post("/v1/session/start", json={**samples.start, "season": 1.0})

    assert fakes.asked["RecordHeartbeat"][0].bitrate_estimate == 1500
    assert fakes.asked["StartSession"][0].key == samples.key


async def test_a_heartbeat_with_only_a_position_leaves_the_rest_open(http, fakes) -> None:
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse()
    answer = await http.post("/v1/session/heartbeat", json={"sessionId": "session-1", "position_s": 0})

    assert answer.json() == {"ok": True}
    [asked] = fakes.asked["RecordHeartbeat"]
    assert not any(asked.HasField(name) for name in ("duration", "buffered", "bitrate_estimate"))


async def test_the_end_tells_what_plays_next_and_when(http, fakes, samples) -> None:
    fakes.answers["EndSession"] = playback.EndSessionResponse(
        next_pick=samples.pick, next_hint=samples.hint, autoplay_in=Duration(seconds=10)
    )
    answer = await http.post("/v1/session/ended", json={"sessionId": "session-1"})

    assert answer.json() == {"nextPick": samples.pick_json, "autoplayIn": 10, "nextHint": samples.hint_json}
    assert fakes.asked["EndSession"] == [playback.EndSessionRequest(session_id="session-1")]


async def test_after_the_last_episode_nothing_plays(http, fakes) -> None:
    fakes.answers["EndSession"] = playback.EndSessionResponse(autoplay_in=Duration(seconds=10))
    answer = await http.post("/v1/session/ended", json={"sessionId": "session-1"})

    assert answer.json() == {"nextPick": None, "autoplayIn": 10, "nextHint": None}


async def test_the_candidates_for_the_next_episode_say_what_they_are(http, fakes, samples) -> None:
    release = scoring.Candidate(
        infohash=samples.infohash,
        title="Harbor.Lights.S01E04.720p.WEB-DL.H264-TIDE",
        traits=scoring.ReleaseTraits(height=720, codec=scoring.CODEC_H264, group="TIDE"),
        size_bytes=734_003_200,
        seeders=9,
        indexer="Harbour",
    )
    ranked = RankedRelease(candidate=release, ranking=samples.ranking)
    fakes.answers["GetNext"] = playback.GetNextResponse(candidates=[ranked], next_hint=samples.hint)
    answer = await http.get("/v1/session/next", params={"sessionId": "session-1"})

    assert answer.json() == {
        "candidates": [
            {
                "infohash": samples.infohash,
                "title": "Harbor.Lights.S01E04.720p.WEB-DL.H264-TIDE",
                "releaseGroup": "TIDE",
                "resolution": "720p",
                "codec": "h264",
                "sizeBytes": 734_003_200,
                "seeders": 9,
                "indexer": "Harbour",
                "tier": "ok",
                "score": samples.pick_json["score"],
                "reasons": samples.pick_json["reasons"],
            }
        ],
        "prepared": True,
    }
    assert fakes.asked["GetNext"] == [playback.GetNextRequest(session_id="session-1")]


async def test_an_unprepared_episode_does_not_claim_to_be_prepared(http, fakes) -> None:
    fakes.answers["GetNext"] = playback.GetNextResponse()
    answer = await http.get("/v1/session/next", params={"sessionId": "session-1"})

    assert answer.json() == {"candidates": []}


async def test_the_viewer_may_choose_another_release(http, fakes, samples) -> None:
    fakes.answers["OverridePick"] = playback.OverridePickResponse(pick=samples.pick, stream_url=samples.stream_url)
    body = {"sessionId": "session-1", "infohash": samples.infohash.upper()}
    answer = await http.post("/v1/session/override-pick", json=body)

    assert answer.json() == {"pick": samples.pick_json, "streamUrl": samples.stream_url}
    assert fakes.asked["OverridePick"] == [
        playback.OverridePickRequest(
            session_id="session-1", infohash=samples.infohash, target=playback.OVERRIDE_TARGET_CURRENT
        )
    ]


@pytest.mark.parametrize(
    ("path", "method", "within"),
    [("start", "StartSession", 20), ("heartbeat", "RecordHeartbeat", 2), ("ended", "EndSession", 10)],
)
async def test_every_call_has_the_deadline_of_its_route(http, fakes, samples, *, path, method, within) -> None:
    fakes.answers |= {
        "StartSession": samples.started,
        "RecordHeartbeat": playback.RecordHeartbeatResponse(),
        "EndSession": playback.EndSessionResponse(),
    }
    bodies = {"start": samples.start, "heartbeat": {"sessionId": "s", "position_s": 1}, "ended": {"sessionId": "s"}}

    async def why_not_all_of_it() -> str | None:
        # A machine that stands still on the way takes its time from one call, but not from all.
        await http.post(f"/v1/session/{path}", json=bodies[path])
        left = fakes.seconds_left.get(method, 0.0)
        return None if within - 1 < left <= within else f"{left} s were left"

    await eventually(why_not_all_of_it, within=10)


async def test_what_comes_next_can_be_chosen_before_it_begins(http, fakes, samples) -> None:
    fakes.answers["OverridePick"] = playback.OverridePickResponse(pick=samples.pick)
    body = {"sessionId": "session-1", "infohash": samples.infohash, "target": "next"}
    answer = await http.post("/v1/session/override-pick", json=body)

    assert answer.json() == {"pick": samples.pick_json, "streamUrl": None}
    assert fakes.asked["OverridePick"][0].target == playback.OVERRIDE_TARGET_NEXT
