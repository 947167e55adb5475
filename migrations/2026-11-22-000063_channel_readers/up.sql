-- Whoever is taken out of a group loses sight of its public channels. Where they follow one without a seat, its log says so, to
-- end their streams; where they do not, it says nothing, so that coming and going costs others nothing.
CREATE TABLE channel_readers (
    user_id         uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    CONSTRAINT channel_readers_pkey PRIMARY KEY (user_id, conversation_id)
);
COMMENT ON TABLE channel_readers IS 'Who has followed a public channel of a group without a seat there, since they have been in the group. Written while their membership is shared, and read while it is held: so one of the two sees what the other did.';
CREATE INDEX channel_readers_conversation_id_idx ON channel_readers (conversation_id);
