-- migrate:up
-- Hosts outside that are left alone: what they did survives a restart, so that one does not begin with asking them.
CREATE TABLE hosts (
    name text PRIMARY KEY,
    failures bigint NOT NULL,
    resting_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER hosts_updated_at BEFORE UPDATE ON hosts FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE hosts;
