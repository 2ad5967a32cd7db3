-- migrate:up
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TABLE series (
    id text PRIMARY KEY,
    title text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('series', 'anime', 'movie')),
    external jsonb NOT NULL DEFAULT '{}',
    fetched_at timestamptz NOT NULL,
    -- Nobody asks the provider again before this moment: set while somebody does, and after it failed.
    retry_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX series_fetched_at_idx ON series (fetched_at);
CREATE TRIGGER series_updated_at BEFORE UPDATE ON series FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE episodes (
    id bigserial PRIMARY KEY,
    series_id text NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    season int NOT NULL,
    episode int NOT NULL,
    absolute_ep int,
    name text NOT NULL,
    runtime_s int,
    air_date date,
    -- The provider no longer lists it. Kept, because progress and picks may point at it.
    gone_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (series_id, season, episode)
);
CREATE TRIGGER episodes_updated_at BEFORE UPDATE ON episodes FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- What a provider answered to a search; the empty query is what was popular there.
CREATE TABLE listings (
    provider text NOT NULL,
    query text NOT NULL,
    titles jsonb NOT NULL,
    fetched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, query)
);
CREATE INDEX listings_fetched_at_idx ON listings (fetched_at);
CREATE TRIGGER listings_updated_at BEFORE UPDATE ON listings FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE listings;
DROP TABLE episodes;
DROP TABLE series;
DROP FUNCTION set_updated_at();
