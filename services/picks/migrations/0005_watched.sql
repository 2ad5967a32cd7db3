-- migrate:up
-- A viewer saw the episode to its end from this pick: that has been counted for its group.
ALTER TABLE picks ADD COLUMN watched boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE picks DROP COLUMN watched;
