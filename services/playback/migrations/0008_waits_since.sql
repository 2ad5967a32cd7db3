-- migrate:up
-- Since when the viewer waits for bytes, as a stream node told it; stalled_at is when it last did.
ALTER TABLE sessions ADD COLUMN waits_since timestamptz;

-- migrate:down
ALTER TABLE sessions DROP COLUMN waits_since;
