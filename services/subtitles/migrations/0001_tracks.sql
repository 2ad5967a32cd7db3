-- migrate:up
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- What a source lists for an episode. A film is season 1, episode 1.
CREATE TABLE tracks (
    id bigserial PRIMARY KEY,
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    lang text NOT NULL,
    source text NOT NULL,
    file_id text NOT NULL,
    release_title text NOT NULL,
    downloads int NOT NULL,
    fps double precision,
    traits text [] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (series_id, season, episode, source, file_id)
);
CREATE TRIGGER tracks_updated_at BEFORE UPDATE ON tracks FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- When the sources were last asked for an episode in a language, also when they had nothing.
CREATE TABLE searches (
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    lang text NOT NULL,
    searched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series_id, season, episode, lang)
);
CREATE TRIGGER searches_updated_at BEFORE UPDATE ON searches FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Files as they were downloaded, kept for ever because downloads are counted, and what became of them.
CREATE TABLE files (
    source text NOT NULL,
    file_id text NOT NULL,
    content bytea,
    -- Somebody is downloading it until then.
    claimed_until timestamptz,
    webvtt text,
    etag text,
    encoding text,
    -- Why it can't be read; set instead of webvtt.
    failure text,
    converter_version int,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, file_id)
);
CREATE TRIGGER files_updated_at BEFORE UPDATE ON files FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The track that goes with the release picked last for an episode.
CREATE TABLE choices (
    series_id text NOT NULL,
    season int NOT NULL,
    episode int NOT NULL,
    lang text NOT NULL,
    track_id bigint NOT NULL REFERENCES tracks (id) ON DELETE CASCADE,
    release_title text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series_id, season, episode, lang)
);
CREATE TRIGGER choices_updated_at BEFORE UPDATE ON choices FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Sources whose downloads are used up, and until when.
CREATE TABLE quotas (
    source text PRIMARY KEY,
    resets_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER quotas_updated_at BEFORE UPDATE ON quotas FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE quotas;
DROP TABLE choices;
DROP TABLE files;
DROP TABLE searches;
DROP TABLE tracks;
DROP FUNCTION set_updated_at();
