-- migrate:up
ALTER TABLE sessions
    -- How often the session went on from another source, and when and why it last did so by itself.
    ADD COLUMN switches int NOT NULL DEFAULT 0,
    ADD COLUMN switched_at timestamptz,
    ADD COLUMN switch_reason text NOT NULL DEFAULT '',
    -- Why nothing is left to go on with: reason, message, domain and metadata, as picks told it.
    ADD COLUMN failure jsonb,
    -- When and why the viewer last had to wait for bytes, as a stream node told it.
    ADD COLUMN stalled_at timestamptz,
    ADD COLUMN stall_reason text NOT NULL DEFAULT '';

-- migrate:down
ALTER TABLE sessions
    DROP COLUMN switches,
    DROP COLUMN switched_at,
    DROP COLUMN switch_reason,
    DROP COLUMN failure,
    DROP COLUMN stalled_at,
    DROP COLUMN stall_reason;
