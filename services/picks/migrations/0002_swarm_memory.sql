-- migrate:up
-- What stream nodes last saw of swarms.
CREATE TABLE swarm_observations (
    infohash text PRIMARY KEY,
    peers int NOT NULL,
    bytes_per_second bigint NOT NULL,
    observed_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER swarm_observations_updated_at BEFORE UPDATE ON swarm_observations
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- How often an indexer's numbers proved true (kept) and false (broken); both fade as new ones come.
CREATE TABLE indexer_trust (
    indexer text PRIMARY KEY,
    kept double precision NOT NULL,
    broken double precision NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER indexer_trust_updated_at BEFORE UPDATE ON indexer_trust
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE indexer_trust;
DROP TABLE swarm_observations;
