-- migrate:up
-- When a position was reached: by the reporter's clock as far as it can be believed, else when it arrived. Of two
-- positions of an episode the one that was reached later counts. (`updated_at` is when we heard of it.)
ALTER TABLE watch_progress ADD COLUMN reached_at timestamptz NOT NULL DEFAULT now();
UPDATE watch_progress SET reached_at = updated_at;
-- What was watched lately is counted by sessions.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sessions_started_idx ON sessions (started_at);

-- migrate:down
DROP INDEX sessions_started_idx;
ALTER TABLE watch_progress DROP COLUMN reached_at;
