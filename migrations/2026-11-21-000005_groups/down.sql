CREATE OR REPLACE FUNCTION people_shown_to(viewer uuid) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    SELECT viewer
    UNION ALL
    SELECT theirs.user_id
    FROM conversation_members AS mine JOIN conversation_members AS theirs USING (conversation_id)
    WHERE mine.user_id = viewer AND mine.left_at IS NULL AND theirs.left_at IS NULL
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = viewer AND blocked_id = theirs.user_id)
        AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = theirs.user_id AND blocked_id = viewer)
$$;
COMMENT ON FUNCTION people_shown_to IS 'Whose presence somebody sees: their own, and that of those with whom they share a conversation and no block. Some come several times.';
-- Without their groups, what was seen by few would be seen by all.
UPDATE channels SET visibility = 'PRIVATE', slug = NULL WHERE group_id IS NOT NULL;
DROP INDEX channels_slug_key;
DROP INDEX channels_group_id_slug_key;
ALTER TABLE channels
    DROP COLUMN group_id,
    DROP COLUMN category_id,
    DROP COLUMN position,
    DROP COLUMN archived_with_group;
CREATE UNIQUE INDEX channels_slug_key ON channels (slug);
COMMENT ON COLUMN channels.slug IS 'Address among the public channels. What is private has none, so that a conflict cannot betray it.';
DROP TABLE channel_categories, group_members, groups;
