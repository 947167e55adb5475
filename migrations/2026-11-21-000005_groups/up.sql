-- Groups with members; channels in them, and categories that put channels in order.

CREATE TABLE groups (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    slug          text CONSTRAINT groups_slug_key UNIQUE,
    description   text,
    visibility    text NOT NULL CHECK (visibility IN ('PUBLIC', 'PRIVATE')),
    member_count  integer NOT NULL DEFAULT 0,
    version       integer NOT NULL,
    created_by_id uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    archived_at   timestamptz,
    changed_xid   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT groups_slug_check CHECK ((visibility = 'PUBLIC') = (slug IS NOT NULL))
);
COMMENT ON TABLE groups IS 'Communities with members and channels of their own. The row is locked before the rows of their channels by whatever changes who is in one, what they may, or the order of its channels.';
COMMENT ON COLUMN groups.slug IS 'Address among the public groups. What is private has none, so that a conflict cannot betray it.';
CREATE INDEX groups_created_by_id_idx ON groups (created_by_id);
CREATE INDEX groups_name_idx ON groups (lower(name), id);
CREATE INDEX groups_search_idx ON groups USING gin (lower(name) gin_trgm_ops, lower(description) gin_trgm_ops);
CREATE TRIGGER groups_changed_xid BEFORE UPDATE ON groups FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();

CREATE TABLE group_members (
    group_id       uuid NOT NULL REFERENCES groups ON DELETE RESTRICT,
    user_id        uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    id             uuid NOT NULL CONSTRAINT group_members_id_key UNIQUE,
    role           text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MODERATOR', 'MEMBER', 'GUEST')),
    rank           smallint NOT NULL GENERATED ALWAYS AS (
                       array_position(ARRAY['OWNER', 'ADMIN', 'MODERATOR', 'MEMBER', 'GUEST'], role)) STORED,
    joined_at      timestamptz NOT NULL,
    added_by_id    uuid REFERENCES users ON DELETE RESTRICT,
    left_at        timestamptz,
    departure      text CHECK (departure IN ('LEFT', 'REMOVED', 'BANNED', 'ACCESS_LOST')),
    departure_note text,
    changed_xid    xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT group_members_pkey PRIMARY KEY (group_id, user_id),
    CONSTRAINT group_members_left_check CHECK ((left_at IS NULL) = (departure IS NULL))
);
COMMENT ON TABLE group_members IS 'Who is in a group: one row per group and person, kept when they leave, with a new id on each rejoin.';
COMMENT ON COLUMN group_members.rank IS 'Place of the role, 1 for OWNER: members are listed by it.';
COMMENT ON COLUMN group_members.departure IS 'How the membership ended.';
COMMENT ON COLUMN group_members.departure_note IS 'Why, as the one who ended it wrote it.';
CREATE INDEX group_members_user_id_idx ON group_members (user_id);
CREATE INDEX group_members_added_by_id_idx ON group_members (added_by_id);
CREATE INDEX group_members_order_idx ON group_members (group_id, rank, joined_at, id) WHERE left_at IS NULL;
CREATE UNIQUE INDEX group_members_owner_key ON group_members (group_id) WHERE role = 'OWNER' AND left_at IS NULL;
CREATE TRIGGER group_members_changed_xid BEFORE UPDATE ON group_members FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();

CREATE TABLE channel_categories (
    id       uuid PRIMARY KEY,
    group_id uuid REFERENCES groups ON DELETE RESTRICT,
    name     text NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    version  integer NOT NULL
);
COMMENT ON TABLE channel_categories IS 'Headings that channels are shown under, of a group or of the server.';
COMMENT ON COLUMN channel_categories.position IS 'From 0, without gaps or ties: written under the lock of the group or of the server''s list.';
CREATE INDEX channel_categories_group_id_idx ON channel_categories (group_id, position);

ALTER TABLE channels
    ADD COLUMN group_id            uuid REFERENCES groups ON DELETE RESTRICT,
    ADD COLUMN category_id         uuid REFERENCES channel_categories ON DELETE RESTRICT,
    ADD COLUMN position            integer,
    ADD COLUMN archived_with_group boolean NOT NULL DEFAULT false;
UPDATE channels SET position = placed.position
    FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) - 1 AS position FROM conversations
          WHERE kind = 'CHANNEL') AS placed
    WHERE placed.id = channels.conversation_id;
ALTER TABLE channels
    ALTER COLUMN position SET NOT NULL,
    ADD CONSTRAINT channels_position_check CHECK (position >= 0);
COMMENT ON COLUMN channels.group_id IS 'The group whose channel it is, for good; null for one of the server.';
COMMENT ON COLUMN channels.position IS 'Place under its heading: from 0, without gaps or ties, hidden and archived ones counted.';
COMMENT ON COLUMN channels.archived_with_group IS 'Whether it was the group that was archived: then it opens with it.';
COMMENT ON COLUMN channels.slug IS 'Address among the public channels of its group or of the server. What is private has none, so that a conflict cannot betray it.';
DROP INDEX channels_slug_key;
CREATE UNIQUE INDEX channels_slug_key ON channels (slug) WHERE group_id IS NULL;
CREATE UNIQUE INDEX channels_group_id_slug_key ON channels (group_id, slug) WHERE group_id IS NOT NULL;
CREATE INDEX channels_group_id_category_id_idx ON channels (group_id, category_id, position);
-- Where the next channel of the server goes: of columns that are null PostgreSQL does not see that an index is in order.
CREATE INDEX channels_end_idx ON channels (position) WHERE group_id IS NULL AND category_id IS NULL;
CREATE INDEX channels_category_id_idx ON channels (category_id);

CREATE OR REPLACE FUNCTION people_shown_to(viewer uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT viewer
    UNION ALL
    SELECT theirs.user_id
    FROM conversation_members AS mine JOIN conversation_members AS theirs USING (conversation_id)
    WHERE mine.user_id = viewer AND mine.left_at IS NULL AND theirs.left_at IS NULL
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = viewer AND blocked_id = theirs.user_id)
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = theirs.user_id AND blocked_id = viewer)
    UNION ALL
    -- Guests of a group share with others the channels that they are in, and no more.
    SELECT theirs.user_id
    FROM group_members AS mine JOIN group_members AS theirs USING (group_id)
    WHERE mine.user_id = viewer AND mine.left_at IS NULL AND theirs.left_at IS NULL
        AND mine.role <> 'GUEST' AND theirs.role <> 'GUEST'
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = viewer AND blocked_id = theirs.user_id)
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = theirs.user_id AND blocked_id = viewer)
$$;
COMMENT ON FUNCTION people_shown_to IS 'Whose presence somebody sees: their own, and that of those with whom they share a conversation or a group, and no block. Some come several times.';
