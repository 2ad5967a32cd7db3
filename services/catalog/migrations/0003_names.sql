-- migrate:up
-- Where an entry of MyAnimeList is kept: as a season of a title. Set once, when the title is fetched first.
ALTER TABLE entries ADD COLUMN series_id text, ADD COLUMN season bigint;

-- What was kept before stays where it is: each entry in its own title if it has one, else in the first that names it.
INSERT INTO entries (mal) SELECT split_part(id, ':', 3)::bigint FROM series WHERE id LIKE 'mal:anime:%'
ON CONFLICT (mal) DO NOTHING;
UPDATE entries SET series_id = 'mal:anime:' || mal, season = 1
WHERE EXISTS (SELECT FROM series WHERE series.id = 'mal:anime:' || mal);
UPDATE entries SET series_id = named.series_id, season = named.season
FROM (
    SELECT DISTINCT ON (entry.value::bigint)
        entry.value::bigint AS mal, series.id AS series_id, entry.ordinality AS season
    FROM series, jsonb_array_elements_text(series.external -> 'entries') WITH ORDINALITY AS entry (value, ordinality)
    WHERE series.id LIKE 'mal:anime:%'
    ORDER BY entry.value::bigint, series.created_at
) AS named
WHERE entries.mal = named.mal AND entries.series_id IS NULL;

-- The key under which an episode is kept, by every key it was ever asked for under; written once, at the first use.
CREATE TABLE episode_names (
    series_id text NOT NULL,
    season bigint NOT NULL,
    episode bigint NOT NULL,
    kept_series_id text NOT NULL,
    kept_season bigint NOT NULL,
    kept_episode bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series_id, season, episode),
    -- No two episodes of one title become the same episode, whatever the data say.
    UNIQUE (kept_series_id, kept_season, kept_episode, series_id)
);
CREATE TRIGGER episode_names_updated_at BEFORE UPDATE ON episode_names FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE episode_names;
ALTER TABLE entries DROP COLUMN series_id, DROP COLUMN season;
