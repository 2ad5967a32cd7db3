-- migrate:up
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- The decision in force: one per episode and profile.
CREATE TABLE picks (
    id bigserial PRIMARY KEY,
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    profile_hash text NOT NULL,
    infohash text NOT NULL,
    magnet text NOT NULL,
    release_group text,
    resolution text NOT NULL,
    codec text NOT NULL,
    file_index int,
    source_kind text NOT NULL CHECK (source_kind IN ('single', 'season_pack')),
    score jsonb NOT NULL,
    picked_at timestamptz NOT NULL,
    -- Points into pick_history; no foreign key, because each override moves a row there.
    replaces_pick_id bigint,
    title text NOT NULL,
    file_path text NOT NULL,
    size_bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (series_id, season, episode, profile_hash)
);
CREATE TRIGGER picks_updated_at BEFORE UPDATE ON picks FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Decisions that were replaced, with the ids they had; never changed, never deleted.
CREATE TABLE pick_history (
    id bigint PRIMARY KEY,
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    profile_hash text NOT NULL,
    infohash text NOT NULL,
    magnet text NOT NULL,
    release_group text,
    resolution text NOT NULL,
    codec text NOT NULL,
    file_index int,
    source_kind text NOT NULL,
    score jsonb NOT NULL,
    picked_at timestamptz NOT NULL,
    replaces_pick_id bigint,
    title text NOT NULL,
    file_path text NOT NULL,
    size_bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pick_history_episode_idx ON pick_history (series_id, season, episode);
CREATE TRIGGER pick_history_updated_at BEFORE UPDATE ON pick_history
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- What a pick was chosen from, best first, refused ones last.
CREATE TABLE pick_candidates (
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    profile_hash text NOT NULL,
    rank int NOT NULL,
    infohash text NOT NULL,
    magnet text NOT NULL,
    title text NOT NULL,
    release_group text NOT NULL,
    resolution text NOT NULL,
    codec text NOT NULL,
    tier text NOT NULL CHECK (tier IN ('ok', 'unverified', 'last_resort', 'refused')),
    -- Rules that it failed, as [{"code", "text"}].
    gates jsonb NOT NULL,
    -- vod.scoring.v1.Candidate and RankedCandidate in their JSON form, passed on as they came.
    announced jsonb NOT NULL,
    explanation jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series_id, season, episode, profile_hash, infohash)
);
CREATE TRIGGER pick_candidates_updated_at BEFORE UPDATE ON pick_candidates
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- What viewers chose by hand, as a hint for the episodes that follow.
CREATE TABLE group_preferences (
    series_id text PRIMARY KEY,
    preferred_group text NOT NULL,
    confidence int NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER group_preferences_updated_at BEFORE UPDATE ON group_preferences
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE group_preferences;
DROP TABLE pick_candidates;
DROP TABLE pick_history;
DROP TABLE picks;
DROP FUNCTION set_updated_at();
