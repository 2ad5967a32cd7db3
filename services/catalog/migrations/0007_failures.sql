-- migrate:up
-- How often in a row a title could not be refreshed: it is asked for later and later, and after those that can be.
ALTER TABLE series ADD COLUMN failures bigint NOT NULL DEFAULT 0;

-- migrate:down
ALTER TABLE series DROP COLUMN failures;
