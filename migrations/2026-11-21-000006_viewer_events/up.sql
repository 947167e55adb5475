-- What somebody's own stream is resumed from: every row that it tells of keeps the transaction that last wrote it, whoever
-- writes it. By a trigger, which nobody can forget; on the hottest row too, which is written once for all that a
-- transaction sends there. The column is in no index, so that updates stay on the page (HOT): it is looked at in rows that
-- are somebody's by another one.

CREATE TRIGGER conversations_changed_xid BEFORE UPDATE ON conversations FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();

ALTER TABLE accounts ADD COLUMN changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE TRIGGER accounts_changed_xid BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();

ALTER TABLE conversation_members ADD COLUMN joined_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
COMMENT ON COLUMN conversation_members.joined_xid IS 'The transaction that made the seat, or made it anew.';
CREATE FUNCTION touch_joined_xid() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.joined_xid := pg_current_xact_id(); RETURN NEW; END $$;
CREATE TRIGGER conversation_members_joined_xid BEFORE UPDATE ON conversation_members FOR EACH ROW
    WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION touch_joined_xid();
