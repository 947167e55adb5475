-- Like messages, reactions have no foreign keys: they are written under the row lock that checked what they name.
CREATE TABLE reactions (
    conversation_id uuid NOT NULL,
    seq             integer NOT NULL,
    user_id         uuid NOT NULL,
    emoji           text NOT NULL,
    added_seq       integer NOT NULL,
    reacted_at      timestamptz NOT NULL,
    CONSTRAINT reactions_pkey PRIMARY KEY (conversation_id, seq, user_id, emoji)
);
COMMENT ON TABLE reactions IS 'Who reacted to which message with what. A deleted message has none.';
COMMENT ON COLUMN reactions.seq IS 'The message''s position in the log.';
COMMENT ON COLUMN reactions.emoji IS 'As Unicode recommends to write it, so that one emoji is one text.';
COMMENT ON COLUMN reactions.added_seq IS 'The position in the log at which it came: orders those who used the same emoji.';
CREATE INDEX reactions_conversation_id_seq_emoji_added_seq_idx ON reactions (conversation_id, seq, emoji, added_seq);

CREATE TABLE reaction_counts (
    conversation_id uuid NOT NULL,
    seq             integer NOT NULL,
    emoji           text NOT NULL,
    count           integer NOT NULL CHECK (count > 0),
    first_seq       integer NOT NULL,
    CONSTRAINT reaction_counts_pkey PRIMARY KEY (conversation_id, seq, emoji)
) WITH (fillfactor = 80);
COMMENT ON TABLE reaction_counts IS 'How many reacted with each emoji, kept under the conversation''s lock: a message may have more reactions than a page of messages can count.';
COMMENT ON COLUMN reaction_counts.first_seq IS 'The position in the log at which the emoji was first used here: orders what is shown.';

CREATE TABLE pins (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq             integer NOT NULL,
    pinned_seq      integer NOT NULL,
    pinned_at       timestamptz NOT NULL,
    pinned_by_id    uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    CONSTRAINT pins_pkey PRIMARY KEY (conversation_id, seq)
);
COMMENT ON TABLE pins IS 'Which messages are pinned, up to a hundred in a conversation. A deleted one is not.';
COMMENT ON COLUMN pins.seq IS 'The message''s position in the log.';
COMMENT ON COLUMN pins.pinned_seq IS 'The position in the log at which it was pinned: orders them.';
CREATE INDEX pins_pinned_by_id_idx ON pins (pinned_by_id);
