-- migrate:up
-- What was rejected, and until when it is not chosen. It fades: each strike adds 1 to a weight that halves with time.
CREATE TABLE rejections (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('torrent', 'file', 'group')),
    -- A torrent, or the file in it that served one episode; empty and -1 for a group.
    infohash text NOT NULL DEFAULT '',
    file_index int NOT NULL DEFAULT -1,
    season int NOT NULL DEFAULT -1,
    episode int NOT NULL DEFAULT -1,
    -- A group, in lower case, for one series; the series of a file.
    series_id text NOT NULL DEFAULT '',
    release_group text NOT NULL DEFAULT '',
    reason text NOT NULL CHECK (reason IN ('stalled', 'broken', 'unwanted')),
    explanation text NOT NULL,
    -- The pick that showed it last.
    pick_id bigint NOT NULL,
    weight double precision NOT NULL,
    weighed_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (scope, infohash, file_index, series_id, release_group)
);
CREATE INDEX rejections_infohash_idx ON rejections (infohash);
CREATE INDEX rejections_series_idx ON rejections (series_id);
CREATE TRIGGER rejections_updated_at BEFORE UPDATE ON rejections
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- What the devices behind profile hashes can do: a pick is replaced without one of them asking.
CREATE TABLE device_profiles (
    profile_hash text PRIMARY KEY,
    capabilities jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER device_profiles_updated_at BEFORE UPDATE ON device_profiles
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Why a pick went into the history.
ALTER TABLE pick_history ADD COLUMN replaced_because text NOT NULL DEFAULT '';

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL UNIQUE,
    subject text NOT NULL,
    payload bytea NOT NULL,
    headers jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down
DROP TABLE outbox;
ALTER TABLE pick_history DROP COLUMN replaced_because;
DROP TABLE device_profiles;
DROP TABLE rejections;
