DROP TRIGGER conversation_members_joined_xid ON conversation_members;
DROP FUNCTION touch_joined_xid;
ALTER TABLE conversation_members DROP COLUMN joined_xid;
DROP TRIGGER accounts_changed_xid ON accounts;
ALTER TABLE accounts DROP COLUMN changed_xid;
DROP TRIGGER conversations_changed_xid ON conversations;
