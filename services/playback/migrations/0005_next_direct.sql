-- migrate:up
ALTER TABLE sessions
    -- The direct source with which the next episode would begin, found ahead where no torrent of it can be played.
    ADD COLUMN next_direct jsonb,
    ADD COLUMN next_direct_at timestamptz;

-- migrate:down
ALTER TABLE sessions
    DROP COLUMN next_direct,
    DROP COLUMN next_direct_at;
