-- The bell: what somebody should know, one row for each of those who are told.

ALTER TABLE preferences
    ADD COLUMN is_email_enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN is_push_enabled  boolean NOT NULL DEFAULT true,
    ADD COLUMN default_level    text NOT NULL DEFAULT 'MENTIONS' CHECK (default_level IN ('ALL', 'MENTIONS', 'NONE')),
    ADD COLUMN shows_previews   boolean NOT NULL DEFAULT true,
    ADD COLUMN quiet_start      time,
    ADD COLUMN quiet_end        time,
    ADD COLUMN urgent_words     text[] NOT NULL DEFAULT '{}',
    ADD CONSTRAINT preferences_quiet_check CHECK ((quiet_start IS NULL) = (quiet_end IS NULL));
COMMENT ON COLUMN preferences.default_level IS 'For what to notify where a seat says nothing else.';
COMMENT ON COLUMN preferences.quiet_start IS 'First silent minute of the day in time_zone; the span may run over midnight.';
COMMENT ON COLUMN preferences.quiet_end IS 'First minute that is no longer silent.';
COMMENT ON COLUMN preferences.urgent_words IS 'What makes a direct message or a mention urgent, folded.';

-- Who is told of every message is found by index, however many members there are: so each seat keeps the level that holds
-- for it, its own or its holder's default. Both are written by triggers: whoever makes a seat, or changes a default, knows
-- nothing of it. The two meet at the row of the person: whoever makes a seat shares it before they read the default, and
-- whoever changes the default holds it before they look for seats. So one of the two sees what the other did.
ALTER TABLE conversation_members
    ADD COLUMN notification_level text CHECK (notification_level IN ('ALL', 'MENTIONS', 'NONE')),
    ADD COLUMN level_in_force     text NOT NULL DEFAULT 'MENTIONS' CHECK (level_in_force IN ('ALL', 'MENTIONS', 'NONE'));
COMMENT ON COLUMN conversation_members.notification_level IS 'For what its holder is notified; null for as their preferences say.';
COMMENT ON COLUMN conversation_members.level_in_force IS 'The same, or what their preferences say. Written by triggers alone.';
CREATE INDEX conversation_members_loud_idx ON conversation_members (conversation_id) WHERE level_in_force = 'ALL' AND left_at IS NULL;

CREATE FUNCTION put_level_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.notification_level IS NULL THEN
        PERFORM FROM users WHERE id = NEW.user_id FOR SHARE;
        -- A statement of its own: it sees what was committed while the row was waited for.
        NEW.level_in_force := coalesce((SELECT default_level FROM preferences WHERE user_id = NEW.user_id), 'MENTIONS');
    ELSE
        NEW.level_in_force := NEW.notification_level;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conversation_members_level_in_force BEFORE INSERT OR UPDATE OF id, notification_level ON conversation_members
    FOR EACH ROW EXECUTE FUNCTION put_level_in_force();

CREATE FUNCTION put_default_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Seats before the person, as whoever changes a seat has them; and seats in the order in which senders move positions.
    PERFORM FROM conversation_members WHERE user_id = NEW.user_id ORDER BY conversation_id FOR NO KEY UPDATE;
    PERFORM FROM users WHERE id = NEW.user_id FOR NO KEY UPDATE;
    UPDATE conversation_members SET level_in_force = NEW.default_level
        WHERE user_id = NEW.user_id AND notification_level IS NULL AND level_in_force <> NEW.default_level;
    RETURN NULL;
END $$;
CREATE TRIGGER preferences_first_level AFTER INSERT ON preferences FOR EACH ROW
    WHEN (NEW.default_level <> 'MENTIONS') EXECUTE FUNCTION put_default_level();
CREATE TRIGGER preferences_changed_level AFTER UPDATE ON preferences FOR EACH ROW
    WHEN (OLD.default_level <> NEW.default_level) EXECUTE FUNCTION put_default_level();

CREATE TABLE notifications (
    user_id         uuid NOT NULL,
    id              uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('MENTION', 'REPLY', 'THREAD_REPLY', 'DIRECT_MESSAGE', 'MESSAGE', 'REACTION', 'ADDED', 'ROLE_CHANGED', 'MISSED_CALL', 'TRANSACTION', 'MODERATION', 'SECURITY')),
    is_urgent       boolean NOT NULL,
    actor_id        uuid,
    conversation_id uuid,
    seq             integer,
    message_seq     integer,
    thread_root_seq integer,
    group_id        uuid,
    detail          text,
    created_at      timestamptz NOT NULL,
    read_at         timestamptz,
    deleted_at      timestamptz,
    changed_xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT notifications_pkey PRIMARY KEY (user_id, id),
    CONSTRAINT notifications_seq_check CHECK (seq IS NULL OR conversation_id IS NOT NULL),
    CONSTRAINT notifications_message_seq_check CHECK (message_seq IS NULL OR seq IS NOT NULL)
);
COMMENT ON TABLE notifications IS 'The bell. No text is kept: what they say is made when they are read, from what their owner may see then.';
COMMENT ON COLUMN notifications.id IS 'Carries its time, so the key has each one''s in order.';
COMMENT ON COLUMN notifications.actor_id IS 'Who caused it; null for the server.';
COMMENT ON COLUMN notifications.seq IS 'Where in the log it happened: whoever reads up to there has read it.';
COMMENT ON COLUMN notifications.message_seq IS 'The message it is about.';
COMMENT ON COLUMN notifications.thread_root_seq IS 'The message in whose thread that is: it is read by the position there.';
COMMENT ON COLUMN notifications.detail IS 'The emoji of a REACTION, the role of a ROLE_CHANGED.';
COMMENT ON COLUMN notifications.deleted_at IS 'When it was taken out of the bell. The row stays for those who resume, until it is old.';
-- What is unread is counted and read from here, and nothing else is.
CREATE INDEX notifications_unread_idx ON notifications (user_id, conversation_id, seq) WHERE read_at IS NULL AND deleted_at IS NULL;
CREATE INDEX notifications_conversation_id_message_seq_user_id_idx ON notifications (conversation_id, message_seq, user_id);
-- Those of one person may be many, and few of them changed since they were last here.
CREATE INDEX notifications_user_id_changed_xid_idx ON notifications (user_id, changed_xid);
CREATE INDEX notifications_created_at_idx ON notifications USING brin (created_at);
CREATE TRIGGER notifications_changed_xid BEFORE UPDATE ON notifications FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();
