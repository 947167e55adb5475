ALTER TABLE conversation_members ADD COLUMN joined_seq integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN conversation_members.joined_seq IS 'The position at which the membership began: all threads are read up to there.';
UPDATE conversation_members AS m SET joined_seq = joined.seq
FROM (SELECT (payload ->> 'member')::uuid AS id, max(seq) AS seq FROM conversation_events WHERE kind = 10 GROUP BY 1) AS joined
WHERE joined.id = m.id;

CREATE TABLE thread_followers (
    conversation_id  uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    root_seq         integer NOT NULL,
    user_id          uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    is_following     boolean NOT NULL,
    last_read_seq    integer NOT NULL,
    last_written_seq integer,
    changed_xid      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT thread_followers_pkey PRIMARY KEY (conversation_id, root_seq, user_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE thread_followers IS 'Who has something to do with a thread: follows it, has read in it, wrote in it. It says nothing of who sees it: that is for their seat.';
COMMENT ON COLUMN thread_followers.is_following IS 'Set by writing, by being mentioned, by asking; taken back by asking alone.';
COMMENT ON COLUMN thread_followers.last_read_seq IS 'How far they have read here; where they joined later, up to there.';
COMMENT ON COLUMN thread_followers.last_written_seq IS 'Their newest reply that is not deleted; null for none.';
CREATE INDEX thread_followers_user_id_idx ON thread_followers (user_id, conversation_id);
CREATE INDEX thread_followers_writers_idx ON thread_followers (conversation_id, root_seq, last_written_seq) WHERE last_written_seq IS NOT NULL;
CREATE TRIGGER thread_followers_changed_xid BEFORE UPDATE ON thread_followers FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();

ALTER TABLE threads ADD COLUMN changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE TRIGGER threads_changed_xid BEFORE UPDATE ON threads FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();
-- A conversation's threads, latest reply first; those without one come last.
CREATE INDEX threads_latest_idx ON threads (conversation_id, coalesce(last_reply_seq, 0), root_seq);

-- What is counted and listed is found without the messages. A deleted one mentions nobody.
ALTER TABLE mentions ADD COLUMN author_id uuid, ADD COLUMN created_at timestamptz;
UPDATE mentions AS x SET author_id = m.author_id, created_at = m.created_at
FROM messages AS m WHERE m.conversation_id = x.conversation_id AND m.seq = x.seq AND m.deleted_at IS NULL;
DELETE FROM mentions WHERE author_id IS NULL;
ALTER TABLE mentions ALTER COLUMN author_id SET NOT NULL, ALTER COLUMN created_at SET NOT NULL;
COMMENT ON COLUMN mentions.author_id IS 'The message''s: nobody is called by themselves.';
COMMENT ON COLUMN mentions.created_at IS 'The message''s.';
CREATE INDEX mentions_user_id_created_at_idx ON mentions (user_id, created_at, conversation_id, seq);
-- What is unread in threads may lie far behind what is read outside of them.
CREATE INDEX mentions_in_threads_idx ON mentions (user_id, conversation_id, seq) INCLUDE (thread_root_seq, author_id) WHERE thread_root_seq IS NOT NULL;

ALTER TABLE broadcast_mentions ADD COLUMN author_id uuid, ADD COLUMN created_at timestamptz;
UPDATE broadcast_mentions AS x SET author_id = m.author_id, created_at = m.created_at
FROM messages AS m WHERE m.conversation_id = x.conversation_id AND m.seq = x.seq AND m.deleted_at IS NULL;
DELETE FROM broadcast_mentions WHERE author_id IS NULL;
ALTER TABLE broadcast_mentions ALTER COLUMN author_id SET NOT NULL, ALTER COLUMN created_at SET NOT NULL;
COMMENT ON COLUMN broadcast_mentions.author_id IS 'The message''s: nobody is called by themselves.';
COMMENT ON COLUMN broadcast_mentions.created_at IS 'The message''s.';
CREATE INDEX broadcast_mentions_conversation_id_created_at_idx ON broadcast_mentions (conversation_id, created_at, seq);
CREATE INDEX broadcast_mentions_in_threads_idx ON broadcast_mentions (conversation_id, seq) WHERE thread_root_seq IS NOT NULL;

-- Whoever has been mentioned out of their sight was never to know.
DELETE FROM mentions AS x WHERE NOT EXISTS (
    SELECT FROM conversation_members AS m WHERE m.conversation_id = x.conversation_id AND m.user_id = x.user_id
) AND NOT EXISTS (SELECT FROM channels AS c WHERE c.conversation_id = x.conversation_id AND c.visibility = 'PUBLIC');

INSERT INTO thread_followers (conversation_id, root_seq, user_id, is_following, last_read_seq, last_written_seq)
SELECT conversation_id, thread_root_seq, author_id, true, max(seq), max(seq) FILTER (WHERE deleted_at IS NULL)
FROM messages WHERE thread_root_seq IS NOT NULL GROUP BY conversation_id, thread_root_seq, author_id;
INSERT INTO thread_followers (conversation_id, root_seq, user_id, is_following, last_read_seq)
SELECT DISTINCT x.conversation_id, x.thread_root_seq, x.user_id, true, 0
FROM mentions AS x JOIN conversation_members AS m ON m.conversation_id = x.conversation_id AND m.user_id = x.user_id
WHERE x.thread_root_seq IS NOT NULL AND m.left_at IS NULL
ON CONFLICT DO NOTHING;
