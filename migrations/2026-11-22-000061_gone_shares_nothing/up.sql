-- Whoever is gone shares nothing: before this they had no row, as newcomers, who share.
INSERT INTO preferences (user_id, language, time_zone, theme, shares_read_position, shares_typing, shares_last_seen, direct_conversations_from, version)
    SELECT id, 'en', 'UTC', 'SYSTEM', false, false, false, 'NOBODY', 1 FROM users WHERE deleted_at IS NOT NULL
    ON CONFLICT DO NOTHING;
COMMENT ON TABLE preferences IS 'How somebody wants things to be. Who has no row has changed nothing: everything is as it is for newcomers, who share. Who is gone shares nothing.';
