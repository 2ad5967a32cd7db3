-- migrate:up
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TABLE search_cache (
    -- `series|SxxExx|profile_hash`
    key text PRIMARY KEY,
    -- What was found and who did not answer; never a link of Prowlarr's, which would carry its API key.
    candidates jsonb NOT NULL,
    fetched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX search_cache_fetched_at_idx ON search_cache (fetched_at);
CREATE TRIGGER search_cache_updated_at BEFORE UPDATE ON search_cache
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE search_cache;
DROP FUNCTION set_updated_at();
