-- `opened_for` is taken before there is a conversation to it: of those who open one at the same moment somebody is first,
-- and the others wait for them and find theirs. So what it refers to is looked for when all is committed.
CREATE TABLE direct_conversations (
    conversation_id uuid PRIMARY KEY REFERENCES conversations ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    opened_for      bytea CONSTRAINT direct_conversations_opened_for_key UNIQUE,
    name            text
);
COMMENT ON TABLE direct_conversations IS 'What direct conversations have of their own.';
COMMENT ON COLUMN direct_conversations.opened_for IS 'The ids of exactly its people, in order: by it they find it again. Null, for ever, once somebody was added or has left.';
COMMENT ON COLUMN direct_conversations.name IS 'What its people named it; of two it has none.';
