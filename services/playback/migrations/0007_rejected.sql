-- migrate:up
-- What a session played was rejected since: who comes back gets what is chosen now.
ALTER TABLE sessions ADD COLUMN rejected boolean NOT NULL DEFAULT false;
-- What was rejected is looked for among ended sessions too.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sessions_episode_idx ON sessions (series_id, season, episode);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sessions_next_idx ON sessions (next_series_id, next_season, next_episode) WHERE NOT next_taken;

-- migrate:down
DROP INDEX sessions_next_idx;
DROP INDEX sessions_episode_idx;
ALTER TABLE sessions DROP COLUMN rejected;
