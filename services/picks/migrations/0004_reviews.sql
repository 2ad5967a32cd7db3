-- migrate:up
-- When it was last seen whether something much better has appeared; NULL: not since it was picked.
ALTER TABLE picks ADD COLUMN reviewed_at timestamptz;

-- migrate:down
ALTER TABLE picks DROP COLUMN reviewed_at;
