DROP INDEX broadcast_mentions_conversation_id_created_at_idx, broadcast_mentions_in_threads_idx,
    mentions_user_id_created_at_idx, mentions_in_threads_idx, threads_latest_idx;
ALTER TABLE broadcast_mentions DROP COLUMN author_id, DROP COLUMN created_at;
ALTER TABLE mentions DROP COLUMN author_id, DROP COLUMN created_at;
DROP TRIGGER threads_changed_xid ON threads;
ALTER TABLE threads DROP COLUMN changed_xid;
DROP TABLE thread_followers;
ALTER TABLE conversation_members DROP COLUMN joined_seq;
