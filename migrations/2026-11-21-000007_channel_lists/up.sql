CREATE TABLE channel_lists (
    id          uuid PRIMARY KEY,
    changed_at  timestamptz NOT NULL,
    changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE channel_lists IS 'When the channels and categories of a group or of the server last changed, for those who keep a list of them.';
COMMENT ON COLUMN channel_lists.id IS 'The group''s; all zeros for the server''s.';
CREATE TRIGGER channel_lists_changed_xid BEFORE UPDATE ON channel_lists FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();
