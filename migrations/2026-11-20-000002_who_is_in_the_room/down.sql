ALTER TABLE conversation_members DROP COLUMN muted_until, DROP COLUMN is_favorite, DROP COLUMN hidden_no;
DROP INDEX channels_search_idx, conversations_created_at_idx, users_display_name_idx, users_created_at_idx, users_role_idx, users_search_idx;
DROP FUNCTION shows_presence, people_shown_to;
DROP TABLE preferences, blocks, presences;
DROP EXTENSION pg_trgm;
