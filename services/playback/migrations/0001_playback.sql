-- migrate:up
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- How far a viewer (a user, or a device without one) got in an episode.
CREATE TABLE watch_progress (
    id bigserial PRIMARY KEY,
    subject_id text NOT NULL,
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    position_s int NOT NULL,
    -- 0 where nobody knows it.
    duration_s int NOT NULL,
    percent numeric NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (subject_id, series_id, season, episode)
);
CREATE INDEX watch_progress_subject_series_idx ON watch_progress (subject_id, series_id);
CREATE INDEX watch_progress_updated_at_idx ON watch_progress (updated_at DESC);
CREATE TRIGGER watch_progress_updated_at BEFORE UPDATE ON watch_progress
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE devices (
    id text PRIMARY KEY,
    capabilities jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER devices_updated_at BEFORE UPDATE ON devices FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE sessions (
    id text PRIMARY KEY,
    device_id text NOT NULL,
    -- What the client called this start; null if it did not care.
    request_id text,
    subject_id text NOT NULL,
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'ended')),
    profile jsonb NOT NULL,
    profile_hash text NOT NULL,
    -- The pick as it was when it was played (vod.picks.v1.Pick in its JSON form): what `exact` means for a resume.
    pick jsonb NOT NULL,
    next_series_id text,
    next_season int,
    next_episode int,
    next_ready boolean NOT NULL DEFAULT false,
    -- A later session plays the next episode, so that nobody has to prepare it any more.
    next_taken boolean NOT NULL DEFAULT false,
    subtitle_languages text[] NOT NULL DEFAULT '{}',
    position interval NOT NULL DEFAULT '0',
    duration interval NOT NULL DEFAULT '0',
    started_at timestamptz NOT NULL,
    -- When the viewer was last heard of.
    heartbeat_at timestamptz NOT NULL,
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (device_id, request_id)
);
CREATE INDEX sessions_watched_idx ON sessions (subject_id, series_id, season, episode, heartbeat_at DESC);
CREATE INDEX sessions_device_idx ON sessions (device_id, started_at DESC);
CREATE INDEX sessions_active_idx ON sessions (started_at DESC) WHERE state = 'active';
CREATE TRIGGER sessions_updated_at BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION set_updated_at();

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
DROP TABLE sessions;
DROP TABLE devices;
DROP TABLE watch_progress;
DROP FUNCTION set_updated_at();
