"""Titles and episodes."""

from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2

SEA = catalog_pb2.Series(
    id="mal:anime:9201", title="Lantern Sea", kind=catalog_pb2.KIND_ANIME, year=2024, genres=["Drama"], season_count=2
)


async def test_titles_are_found_by_name(http, fakes) -> None:
    fakes.answers["SearchTitles"] = catalog_service_pb2.SearchTitlesResponse(titles=[SEA])
    answer = await http.get("/v1/titles", params={"query": " lantern ", "limit": 5})

    assert answer.json() == {
        "titles": [
            {
                "seriesId": "mal:anime:9201",
                "title": "Lantern Sea",
                "type": "anime",
                "year": 2024,
                "overview": "",
                "posterUrl": None,
                "backdropUrl": None,
                "genres": ["Drama"],
                "seasonCount": 2,
            }
        ]
    }
    assert fakes.asked["SearchTitles"] == [catalog_service_pb2.SearchTitlesRequest(query="lantern", page_size=5)]


async def test_without_a_name_the_popular_ones_are_listed(http, fakes) -> None:
    fakes.answers["SearchTitles"] = catalog_service_pb2.SearchTitlesResponse()
    answer = await http.get("/v1/titles")

    assert answer.json() == {"titles": []}
    assert fakes.asked["SearchTitles"] == [catalog_service_pb2.SearchTitlesRequest(page_size=20)]


async def test_episodes_come_in_viewing_order_with_their_absolute_numbers(http, fakes) -> None:
    def episode(season: int, number: int, absolute: int) -> catalog_pb2.Episode:
        key = catalog_pb2.EpisodeKey(series_id="mal:anime:9201", season=season, episode=number)
        return catalog_pb2.Episode(
            key=key, absolute=absolute, name=f"No. {absolute}", runtime=Duration(seconds=1420), air_date="2024-10-08"
        )

    episodes = [episode(1, 3, 3), episode(2, 1, 4)]
    fakes.answers["ListEpisodes"] = catalog_service_pb2.ListEpisodesResponse(series=SEA, episodes=episodes)
    answer = await http.get("/v1/episodes", params={"seriesId": "mal:anime:9201"})

    assert [one["absoluteEp"] for one in answer.json()] == [3, 4]
    assert answer.json()[1] == {
        "seriesId": "mal:anime:9201",
        "season": 2,
        "episode": 1,
        "position": None,
        "absoluteEp": 4,
        "name": "No. 4",
        "runtime_s": 1420,
        "airDate": "2024-10-08",
        "episodeKey": "mal:anime:9201:S02E01",
    }


async def test_what_the_catalog_does_not_know_is_null(http, fakes) -> None:
    key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=1)
    fakes.answers["ListEpisodes"] = catalog_service_pb2.ListEpisodesResponse(
        episodes=[catalog_pb2.Episode(key=key, name="The Keeper")]
    )
    answer = await http.get("/v1/episodes", params={"seriesId": "tmdb:tv:9001"})

    [one] = answer.json()
    assert (one["absoluteEp"], one["runtime_s"], one["airDate"]) == (None, None, None)
