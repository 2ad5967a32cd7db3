-- migrate:up
SET lock_timeout = '5s';

-- When the last cue ends; 0 where that is not known.
ALTER TABLE files ADD COLUMN last_ms int NOT NULL DEFAULT 0;
-- How long a video runs and how many pictures a second it has; 0 where that is not known.
ALTER TABLE videos ADD COLUMN runtime_ms int NOT NULL DEFAULT 0;
ALTER TABLE videos ADD COLUMN fps double precision NOT NULL DEFAULT 0;

-- The last search for a file's right timing.
CREATE TABLE alignments (
    source text NOT NULL,
    file_id text NOT NULL,
    reference_track_id bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    progress double precision NOT NULL DEFAULT 0,
    offset_ms int NOT NULL DEFAULT 0,
    rate double precision NOT NULL DEFAULT 1,
    explanation text NOT NULL DEFAULT '',
    -- A search that is still running then was cut off.
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, file_id)
);
CREATE TRIGGER alignments_updated_at BEFORE UPDATE ON alignments FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Fonts found in videos: the episodes of a release mostly bring the same ones.
CREATE TABLE fonts (
    -- SHA-256 of the content, in hexadecimal.
    id text PRIMARY KEY,
    content bytea NOT NULL,
    content_type text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER fonts_updated_at BEFORE UPDATE ON fonts FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Which video brings which font, and what it calls it.
CREATE TABLE video_fonts (
    -- infohash:index
    video text NOT NULL,
    font_id text NOT NULL REFERENCES fonts (id) ON DELETE CASCADE,
    file_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (video, font_id)
);
CREATE TRIGGER video_fonts_updated_at BEFORE UPDATE ON video_fonts FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE video_fonts;
DROP TABLE fonts;
DROP TABLE alignments;
ALTER TABLE videos DROP COLUMN fps, DROP COLUMN runtime_ms;
ALTER TABLE files DROP COLUMN last_ms;
