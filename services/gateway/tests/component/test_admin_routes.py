"""What only the holder of the admin key sees."""

import pytest
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1 import events_pb2 as events
from vod.picks.v1 import picks_service_pb2 as picks
from vod.playback.v1 import playback_service_pb2 as playback
from vod.scoring.v1 import scoring_service_pb2
from vod.stream.v1 import stream_service_pb2 as stream

ROUTES = ["/v1/picks/tmdb:tv:9001/1/3", "/v1/status"]


@pytest.fixture
def with_key(samples) -> dict[str, str]:
    return {"X-Api-Key": samples.admin_key}


@pytest.fixture(autouse=True)
def _all_answer(fakes, samples) -> None:
    pin = stream.Pin(
        node="node-1",
        infohash=samples.infohash,
        file_index=3,
        file_name="c.S01E03.mkv",
        size_bytes=1000,
        downloaded_bytes=250,
        state=stream.PIN_STATE_READY,
        stream_url=samples.stream_url,
        peers=14,
        download_rate=5,
        holders=[stream.Holder(name="session-1", purpose=stream.PURPOSE_CURRENT)],
        expire_time={"seconds": 1_795_000_000},
    )
    fakes.answers |= {
        "ListPicks": picks.ListPicksResponse(picks=[samples.pick]),
        "ListCandidates": picks.ListCandidatesResponse(
            candidates=[picks.RankedRelease(candidate={"infohash": "cd", "title": "A.Title"}, ranking=samples.ranking)]
        ),
        "ListSessions": playback.ListSessionsResponse(sessions=[samples.session]),
        "ListPins": stream.ListPinsResponse(node="node-1", pins=[pin]),
    }


async def test_every_pick_of_an_episode_is_shown(http, fakes, samples, with_key) -> None:
    answer = await http.get("/v1/picks/tmdb:tv:9001/1/3", headers=with_key)

    record = {**samples.pick_json, "profileHash": "p1", "replaced": False, "replacedBecause": None}
    of_episode = {"seriesId": "tmdb:tv:9001", "season": 1, "episode": 3}
    shown = answer.json()
    candidates = shown.pop("candidates")
    assert shown == {**of_episode, "picks": [record]}
    assert [(one["title"], one["reasons"]) for one in candidates] == [("A.Title", samples.pick_json["reasons"])]
    assert fakes.asked["ListPicks"] == [
        picks.ListPicksRequest(key=EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=3))
    ]
    assert [one.profile_hash for one in fakes.asked["ListCandidates"]] == ["p1"]


async def test_a_pick_is_rejected_and_another_takes_its_place(http, fakes, samples, with_key) -> None:
    rejected, replacement = picks.Pick(), picks.Pick()
    rejected.CopyFrom(samples.pick)
    rejected.MergeFrom(picks.Pick(replaced=True, replaced_because="rejected: it freezes"))
    replacement.CopyFrom(samples.pick)
    replacement.id = 99
    fakes.answers["RejectPick"] = picks.RejectPickResponse(rejected=rejected, replacement=replacement)

    body = {"pickId": 17, "reason": "broken", "scope": "file", "explanation": "it freezes"}
    answer = await http.post("/v1/picks/reject", headers=with_key, json=body)

    shown = answer.json()
    assert (shown["rejected"]["replacedBecause"], shown["replacement"]["id"]) == ("rejected: it freezes", 99)
    assert fakes.asked["RejectPick"] == [
        picks.RejectPickRequest(
            pick_id=17,
            reason=events.REJECTION_REASON_BROKEN,
            scope=events.REJECTION_SCOPE_FILE,
            explanation="it freezes",
        )
    ]


async def test_rejecting_the_last_candidate_leaves_none(http, fakes, samples, with_key) -> None:
    fakes.answers["RejectPick"] = picks.RejectPickResponse(rejected=samples.pick)

    answer = await http.post("/v1/picks/reject", headers=with_key, json={"pickId": 17})

    assert answer.json()["replacement"] is None


async def test_why_one_candidate_goes_before_another_is_told(http, fakes, samples, with_key) -> None:
    gap = scoring_service_pb2.Difference(
        name="health", micro_points=112_000, reason="44 seeders - the other: 9 seeders"
    )
    fakes.answers["DiffCandidates"] = picks.DiffCandidatesResponse(summary="A goes first.", differences=[gap])

    path = f"/v1/picks/tmdb:tv:9001/1/3/diff?first={'a' * 40}&second={'b' * 40}"
    answer = await http.get(path, headers=with_key)

    shown = {"name": "health", "points": 11.2, "reason": "44 seeders - the other: 9 seeders"}
    assert answer.json() == {"summary": "A goes first.", "differences": [shown]}
    (asked,) = fakes.asked["DiffCandidates"]
    assert (asked.profile_hash, asked.first_infohash, asked.second_infohash) == ("p1", "a" * 40, "b" * 40)


async def test_only_the_admin_rejects(http) -> None:
    assert (await http.post("/v1/picks/reject", json={"pickId": 17})).status_code == 401


async def test_the_status_shows_sessions_and_pins_but_no_signed_address(http, samples, with_key) -> None:
    answer = await http.get("/v1/status", headers=with_key)

    assert answer.json() == {
        "sessions": [
            {
                "sessionId": "session-1",
                "subjectId": "anna",
                "seriesId": "tmdb:tv:9001",
                "season": 1,
                "episode": 3,
                "position_s": 612.0,
                "duration_s": 1260.0,
                "startedAt": "2026-11-18T11:06:40Z",
                "heartbeatAt": None,
            }
        ],
        "node": "node-1",
        "pins": [
            {
                "node": "node-1",
                "infohash": samples.infohash,
                "fileIndex": 3,
                "fileName": "c.S01E03.mkv",
                "sizeBytes": 1000,
                "downloadedBytes": 250,
                "state": "ready",
                "peers": 14,
                "downloadRate": 5,
                "holders": [{"name": "session-1", "purpose": "current"}],
                "expiresAt": "2026-11-18T11:06:40Z",
            }
        ],
    }
    assert "a-token" not in answer.text


@pytest.mark.parametrize("path", ROUTES)
async def test_the_key_may_come_as_a_bearer_token(http, samples, path) -> None:
    answer = await http.get(path, headers={"Authorization": f"Bearer {samples.admin_key}"})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Api-Key": ""},
        {"X-Api-Key": "wrong"},
        {"X-Api-Key": "an-admin-key-of-the-test"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic an-admin-key-of-the-tests"},
    ],
    ids=str,
)
async def test_without_the_key_nothing_is_shown_and_nobody_is_asked(http, fakes, path, headers) -> None:
    answer = await http.get(path, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="admin"'
    assert answer.json()["reason"] == "ADMIN_KEY_REQUIRED"
    assert not fakes.asked


async def test_the_key_is_not_taken_from_the_address(http, samples) -> None:
    answer = await http.get("/v1/status", params={"X-Api-Key": samples.admin_key, "key": samples.admin_key})

    assert answer.status_code == 401


@pytest.mark.parametrize("path", ROUTES)
async def test_without_a_configured_key_the_routes_are_off_and_say_why(run_gateway, with_key, path) -> None:
    async with run_gateway(admin_key=None) as (http, _):
        answer = await http.get(path, headers=with_key)

    assert answer.status_code == 404
    assert answer.json()["reason"] == "ADMIN_ROUTES_OFF"
    assert "VOD_ADMIN_KEY" in answer.json()["detail"]


async def test_after_five_wrong_keys_the_address_has_to_wait(run_gateway, still_runtime, clock, with_key) -> None:
    async with run_gateway(runtime=still_runtime) as (http, _):
        wrong = [await http.get("/v1/status", headers={"X-Api-Key": f"guess-{n}"}) for n in range(6)]
        even_right = await http.get("/v1/status", headers=with_key)
        clock.seconds += float(even_right.headers["retry-after"])
        later = await http.get("/v1/status", headers=with_key)

    assert [answer.status_code for answer in wrong] == [401] * 5 + [429]
    assert even_right.status_code == 429
    assert later.status_code == 200
