-- Names are searched by their parts. A trusted extension: who owns the database may create it.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The directory: claimed accounts that are not gone, by name and by when they came; and searched.
CREATE INDEX users_display_name_idx ON users (lower(display_name), id) WHERE is_claimed AND deleted_at IS NULL;
CREATE INDEX users_created_at_idx ON users (created_at, id) WHERE is_claimed AND deleted_at IS NULL;
CREATE INDEX users_role_idx ON users (role, lower(display_name), id) WHERE role <> 'USER';
CREATE INDEX users_search_idx ON users USING gin (lower(display_name) gin_trgm_ops, username gin_trgm_ops);

CREATE TABLE preferences (
    user_id                   uuid PRIMARY KEY REFERENCES users ON DELETE RESTRICT,
    language                  text NOT NULL,
    time_zone                 text NOT NULL,
    theme                     text NOT NULL CHECK (theme IN ('LIGHT', 'DARK', 'SYSTEM')),
    shares_read_position      boolean NOT NULL,
    shares_typing             boolean NOT NULL,
    shares_last_seen          boolean NOT NULL,
    direct_conversations_from text NOT NULL CHECK (direct_conversations_from IN ('EVERYONE', 'SHARED', 'NOBODY')),
    version                   integer NOT NULL,
    changed_xid               xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE preferences IS 'How somebody wants things to be. Who has no row has changed nothing: everything is as it is for newcomers, who share.';
CREATE TRIGGER preferences_changed_xid BEFORE UPDATE ON preferences FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();

CREATE TABLE blocks (
    blocker_id uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    blocked_id uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    created_at timestamptz NOT NULL,
    CONSTRAINT blocks_pkey PRIMARY KEY (blocker_id, blocked_id),
    CONSTRAINT blocks_blocked_id_check CHECK (blocker_id <> blocked_id)
);
COMMENT ON TABLE blocks IS 'Who wants nothing to do with whom.';
CREATE INDEX blocks_blocked_id_idx ON blocks (blocked_id, blocker_id);
CREATE INDEX blocks_blocker_id_created_at_idx ON blocks (blocker_id, created_at, blocked_id);

CREATE TABLE presences (
    user_id           uuid PRIMARY KEY REFERENCES users ON DELETE RESTRICT,
    last_seen_at      timestamptz,
    status_text       text,
    status_emoji      text,
    status_expires_at timestamptz
) WITH (fillfactor = 80);
COMMENT ON TABLE presences IS 'What stays of somebody''s presence when they are gone. Who is here now is known to the servers alone.';
COMMENT ON COLUMN presences.last_seen_at IS 'When they were last here; of those who are, some minutes old.';
COMMENT ON COLUMN presences.status_expires_at IS 'From then on the custom status is as good as none; nobody clears it.';
CREATE INDEX presences_last_seen_at_idx ON presences (last_seen_at, user_id) WHERE last_seen_at IS NOT NULL;

-- The one place that says who sees whose presence; in SQL, so that lists can be filtered and ordered by it.
CREATE FUNCTION people_shown_to(viewer uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT viewer
    UNION ALL
    SELECT theirs.user_id
    FROM conversation_members AS mine JOIN conversation_members AS theirs USING (conversation_id)
    WHERE mine.user_id = viewer AND mine.left_at IS NULL AND theirs.left_at IS NULL
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = viewer AND blocked_id = theirs.user_id)
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = theirs.user_id AND blocked_id = viewer)
$$;
COMMENT ON FUNCTION people_shown_to IS 'Whose presence somebody sees: their own, and that of those with whom they share a conversation and no block. Some come several times.';
CREATE FUNCTION shows_presence(viewer uuid, person uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM people_shown_to(viewer) AS shown (id) WHERE shown.id = person)
$$;
COMMENT ON FUNCTION shows_presence IS 'Whether this one is among them.';

CREATE INDEX channels_search_idx ON channels USING gin (lower(name) gin_trgm_ops, lower(topic) gin_trgm_ops);
CREATE INDEX conversations_created_at_idx ON conversations (created_at, id);

ALTER TABLE conversation_members
    ADD COLUMN muted_until timestamptz,
    ADD COLUMN is_favorite boolean NOT NULL DEFAULT false,
    ADD COLUMN hidden_no   integer;
COMMENT ON COLUMN conversation_members.muted_until IS 'Until then nothing of it rings.';
COMMENT ON COLUMN conversation_members.hidden_no IS 'Number of the latest message when it was hidden from the inbox; a later one shows it again.';
