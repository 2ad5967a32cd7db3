-- migrate:up
-- What a heartbeat is worth: when its position was reached, as far as the player's clock can be believed, and the
-- player's own count of heartbeats. Older ones change nothing. `heard`: there was a heartbeat.
ALTER TABLE sessions
    ADD COLUMN position_time timestamptz,
    ADD COLUMN position_sequence bigint,
    ADD COLUMN heard boolean NOT NULL DEFAULT false,
    -- Where the ending begins, as far as somebody knows: from there on the episode counts as watched.
    ADD COLUMN ending_at interval,
    ADD COLUMN ending_asked boolean NOT NULL DEFAULT false;
-- Every heartbeat changes a row: room on its page, and no index on what changes, make that an update in place.
ALTER TABLE sessions SET (fillfactor = 70);
ALTER TABLE watch_progress SET (fillfactor = 70);
-- Sessions are few enough to be locked for the moment that this takes.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX sessions_watched_idx;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sessions_watched_idx ON sessions (subject_id, series_id, season, episode);

ALTER TABLE watch_progress ADD COLUMN finished boolean NOT NULL DEFAULT false;
UPDATE watch_progress SET finished = true WHERE percent >= 90;

-- Who watched on a device last, and as what its picks are kept.
ALTER TABLE devices
    ADD COLUMN subject_id text NOT NULL DEFAULT '',
    ADD COLUMN profile_hash text NOT NULL DEFAULT '',
    ADD COLUMN seen_at timestamptz;
UPDATE devices SET (subject_id, profile_hash, seen_at) = (
    SELECT sessions.subject_id, sessions.profile_hash, sessions.started_at FROM sessions
    WHERE sessions.device_id = devices.id ORDER BY sessions.started_at DESC LIMIT 1
) WHERE EXISTS (SELECT FROM sessions WHERE sessions.device_id = devices.id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX devices_subject_idx ON devices (subject_id);

-- migrate:down
ALTER TABLE devices DROP COLUMN subject_id, DROP COLUMN profile_hash, DROP COLUMN seen_at;
ALTER TABLE watch_progress DROP COLUMN finished;
DROP INDEX sessions_watched_idx;
CREATE INDEX sessions_watched_idx ON sessions (subject_id, series_id, season, episode, heartbeat_at DESC);
ALTER TABLE sessions
    DROP COLUMN position_time,
    DROP COLUMN position_sequence,
    DROP COLUMN heard,
    DROP COLUMN ending_at,
    DROP COLUMN ending_asked;
