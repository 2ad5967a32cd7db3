-- migrate:up
-- Entries of MyAnimeList as wholes: what the chain of seasons is checked with.
CREATE TABLE entries (
    mal bigint PRIMARY KEY,
    episodes bigint,
    started_on date,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER entries_updated_at BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The operator's word on where an episode belongs; comes before all data.
CREATE TABLE mapping_overrides (
    ref text PRIMARY KEY,
    series_id text NOT NULL,
    season bigint NOT NULL,
    episode bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER mapping_overrides_updated_at BEFORE UPDATE ON mapping_overrides
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Mapping data as they were fetched; the last good ones stay when the next fetch fails.
CREATE TABLE mapping_files (
    name text PRIMARY KEY,
    body bytea NOT NULL,
    fetched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER mapping_files_updated_at BEFORE UPDATE ON mapping_files FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- What AniSkip answered for an episode and a length; no ranges is an answer too.
CREATE TABLE skip_times (
    mal bigint NOT NULL,
    episode bigint NOT NULL,
    length_s bigint NOT NULL,
    ranges jsonb NOT NULL,
    fetched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mal, episode, length_s)
);
CREATE TRIGGER skip_times_updated_at BEFORE UPDATE ON skip_times FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE skip_times;
DROP TABLE mapping_files;
DROP TABLE mapping_overrides;
DROP TABLE entries;
