-- migrate:up
-- What a device's link carried when its players measured it last, in bits per second: a film's bitrate is chosen by it.
CREATE TABLE links (
    device_id text PRIMARY KEY,
    bitrate bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER links_updated_at BEFORE UPDATE ON links FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- migrate:down
DROP TABLE links;
