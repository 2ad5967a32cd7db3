"""The titles of the demo library: what the catalogs (TMDb and MyAnimeList) know."""

from __future__ import annotations

from datetime import date

from vod_fakes.shapes import Anime, Episode, Film, Series

HARBOR_LIGHTS = Series(
    tmdb_id=9001,
    name="Harbor Lights",
    overview="A lighthouse keeper's daughter comes home to a harbour where the lights go out, one by one.",
    imdb_id="tt99009001",
    tvdb_id=9900901,
    country="US",
    popularity=84.2,
    aliases=(("DE", "Hafenlichter"), ("FR", "Les Lumières du port")),
    episodes=(
        Episode(900101, 1, 1, "The Keeper", "Mara returns to the island and finds the lamp cold.", date(2024, 3, 1)),
        Episode(900102, 1, 2, "Low Tide", "The tide lays a wreck bare that is on no chart.", date(2024, 3, 8)),
        Episode(900103, 1, 3, "The Long Fog", "Three days of fog, and a ship that answers twice.", date(2024, 3, 15)),
        Episode(900104, 1, 4, "First Light", "The last lamp is lit.", date(2024, 3, 22)),
    ),
)

HARBOR_LIGHT = Series(
    tmdb_id=9002,
    name="Harbor Light",
    overview="A quiet documentary about one lamp. It is not the other show.",
    imdb_id="tt99009002",
    tvdb_id=9900902,
    country="CA",
    popularity=3.1,
    episodes=(
        Episode(900201, 1, 1, "The Lamp", "How it is lit.", date(2011, 9, 4)),
        Episode(900202, 1, 2, "The Wick", "No indexer has it.", date(2011, 9, 11)),
    ),
)

GLASS_ORCHARD = Film(
    tmdb_id=9101,
    name="The Glass Orchard",
    overview="A glassblower inherits an orchard where nothing has ever grown, and makes the apples herself.",
    imdb_id="tt99009101",
    released=date(2023, 10, 6),
    popularity=61.7,
    aliases=(("DE", "Der gläserne Obstgarten"),),
)

LANTERN_SEA = Anime(
    mal_id=9201,
    name="Lantern Sea",
    japanese="灯籠の海",
    synopsis="Once a year the drowned send their lanterns back. Nao is the only one who answers them.",
    season="spring",
    sequel=9202,
    episodes=(
        Episode(1, 1, 1, "The Lantern Is Lit", "", date(2024, 4, 6)),
        Episode(2, 1, 2, "A Name on the Water", "", date(2024, 4, 13)),
        Episode(3, 1, 3, "What the Tide Keeps", "", date(2024, 4, 20)),
    ),
)

LANTERN_SEA_2 = Anime(
    mal_id=9202,
    name="Lantern Sea 2nd Season",
    japanese="灯籠の海 第2期",
    synopsis="A second year, and a lantern with Nao's own name.",
    season="fall",
    prequel=9201,
    episodes=(
        Episode(1, 1, 1, "The Empty Boat", "", date(2024, 10, 5)),
        Episode(2, 1, 2, "Paper and Salt", "", date(2024, 10, 12)),
        Episode(3, 1, 3, "The Other Shore", "", date(2024, 10, 19)),
    ),
)
