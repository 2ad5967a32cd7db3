-- migrate:up
SET lock_timeout = '5s';

-- The file (infohash:index) that a track was made for; empty where nobody knows.
ALTER TABLE tracks ADD COLUMN matches text NOT NULL DEFAULT '';
-- What a track is called inside its video.
ALTER TABLE tracks ADD COLUMN title text NOT NULL DEFAULT '';

-- The original as text where it is SubStation.
ALTER TABLE files ADD COLUMN script text NOT NULL DEFAULT '';
-- Whether all of it was here when it was read: a track inside a video may come in parts.
ALTER TABLE files ADD COLUMN complete boolean NOT NULL DEFAULT true;
-- By how much its times are off, as a viewer said: time x rate + offset.
ALTER TABLE files ADD COLUMN offset_ms int NOT NULL DEFAULT 0;
ALTER TABLE files ADD COLUMN rate double precision NOT NULL DEFAULT 1;

-- The file whose hash the sources were asked for.
ALTER TABLE searches ADD COLUMN matched text NOT NULL DEFAULT '';

-- Videos whose insides were read, and how far.
CREATE TABLE videos (
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    -- infohash:index
    video text NOT NULL,
    read_bytes bigint NOT NULL DEFAULT 0,
    converter_version int NOT NULL DEFAULT 0,
    moviehash text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series_id, season, episode, video)
);
CREATE TRIGGER videos_updated_at BEFORE UPDATE ON videos FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE videos;
ALTER TABLE searches DROP COLUMN matched;
ALTER TABLE files DROP COLUMN rate, DROP COLUMN offset_ms, DROP COLUMN complete, DROP COLUMN script;
ALTER TABLE tracks DROP COLUMN title, DROP COLUMN matches;
