-- migrate:up
-- When the background job looks at a title again; NULL: as old titles were, a day after they were fetched.
ALTER TABLE series ADD COLUMN due_at timestamptz;

-- Work that one instance does at a time.
CREATE TABLE leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    held_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER leases_updated_at BEFORE UPDATE ON leases FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE leases;
ALTER TABLE series DROP COLUMN due_at;
