-- migrate:up
-- Indexers that failed, and until when they are left alone.
CREATE TABLE indexer_rests (
    indexer text PRIMARY KEY,
    -- In a row.
    failures int NOT NULL,
    until timestamptz NOT NULL,
    -- For people.
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER indexer_rests_updated_at BEFORE UPDATE ON indexer_rests
FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE indexer_rests;
