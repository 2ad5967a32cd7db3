-- migrate:up
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- A source that was handed out: where its bytes are now, and where else. The viewer knows only the id.
CREATE TABLE plays (
    id text PRIMARY KEY,
    content jsonb NOT NULL,
    source jsonb NOT NULL,
    spare jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX plays_updated_at_idx ON plays (updated_at);
CREATE TRIGGER plays_updated_at BEFORE UPDATE ON plays FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- How a provider's host did lately: 1 is always well, 0 never; a moving average.
CREATE TABLE hosts (
    provider text NOT NULL,
    host text NOT NULL,
    success double precision NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, host)
);
CREATE TRIGGER hosts_updated_at BEFORE UPDATE ON hosts FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE hosts;
DROP TABLE plays;
DROP FUNCTION set_updated_at();
