-- Whoever is taken out of a group loses sight of its public channels. Where they follow one without a seat, its log says so, to
-- end their streams; where they do not, it says nothing, so that coming and going costs others nothing.
CREATE TABLE channel_readers (
    user_id         uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    CONSTRAINT channel_readers_pkey PRIMARY KEY (user_id, conversation_id)
);
COMMENT ON TABLE channel_readers IS 'Who has followed a public channel of a group without a seat there, since they have been in the group. Written while their membership is shared, and read while it is held: so one of the two sees what the other did.';
CREATE INDEX channel_readers_conversation_id_idx ON channel_readers (conversation_id);

-- Of streams that are open now nothing is known.
INSERT INTO channel_readers (user_id, conversation_id)
    SELECT m.user_id, c.conversation_id FROM channels AS c JOIN group_members AS m USING (group_id)
    WHERE c.visibility = 'PUBLIC' AND m.left_at IS NULL AND m.role <> 'GUEST'
    AND NOT EXISTS (SELECT FROM conversation_members AS s
        WHERE s.conversation_id = c.conversation_id AND s.user_id = m.user_id AND s.left_at IS NULL);
