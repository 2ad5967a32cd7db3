-- migrate:up
-- What the viewer's device and link carry, so that a replacement is chosen as the first one was; and whether a session
-- plays it, so that who comes back finds it.
ALTER TABLE plays ADD COLUMN wanted jsonb NOT NULL DEFAULT '{}';
ALTER TABLE plays ADD COLUMN held boolean NOT NULL DEFAULT false;

-- migrate:down
ALTER TABLE plays DROP COLUMN held;
ALTER TABLE plays DROP COLUMN wanted;
