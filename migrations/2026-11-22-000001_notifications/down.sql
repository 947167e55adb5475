DROP TABLE notifications;
DROP TRIGGER preferences_changed_level ON preferences;
DROP TRIGGER preferences_first_level ON preferences;
DROP FUNCTION put_default_level;
DROP TRIGGER conversation_members_level_in_force ON conversation_members;
DROP FUNCTION put_level_in_force;
ALTER TABLE conversation_members
    DROP COLUMN notification_level,
    DROP COLUMN level_in_force;
ALTER TABLE preferences
    DROP COLUMN is_email_enabled,
    DROP COLUMN is_push_enabled,
    DROP COLUMN default_level,
    DROP COLUMN shows_previews,
    DROP COLUMN quiet_start,
    DROP COLUMN quiet_end,
    DROP COLUMN urgent_words;
