-- 2,000 people, 2,000 channels and :messages messages, as chats are: a few channels hold most of them, one message in
-- ten stands in a thread, one in four quotes another, one in 200 is deleted. Whether a message is in a thread, and which
-- number it has outside of threads, follows from its position: counters need no counting.

SET work_mem = '256MB';
SET maintenance_work_mem = '256MB';
-- The same numbers are drawn in each run.
SET max_parallel_workers_per_gather = 0;
SELECT setseed(0.5);

-- Indexes are made faster when the rows are there.
CREATE TEMP TABLE put_off AS
SELECT indexname AS name, indexdef AS definition FROM pg_indexes
WHERE tablename = 'messages' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname);
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT put_off.name FROM put_off LOOP EXECUTE 'DROP INDEX ' || name; END LOOP;
END $$;

CREATE TEMP TABLE drawn AS
SELECT n,
    -- The first has twice what the second has, and so on.
    md5('channel ' || floor(power(2001, random()))::integer)::uuid AS channel,
    md5('person ' || floor(power(2001, random()))::integer)::uuid AS author,
    (10 + 300 * power(random(), 3))::integer AS length
FROM generate_series(1, :messages) AS n;

INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
SELECT md5('person ' || n)::uuid, 'person-' || n, 'Person ' || n, 'USER', true, 1, '2020-01-01', '2020-01-01'
FROM generate_series(1, 2000) AS n;
INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
VALUES (md5('viewer')::uuid, 'viewer', 'Viewer', 'USER', true, 1, '2020-01-01', '2020-01-01');

INSERT INTO messages (conversation_id, seq, id, author_id, kind, msg_no, thread_root_seq, reply_to_seq, client_key,
    input_digest, content, version, created_at, deleted_at, deleted_by_id)
SELECT channel, seq,
    -- A UUIDv7 of its time.
    (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || left(digest, 3) || '8' || right(digest, 15))::uuid,
    author, 'STANDARD',
    CASE WHEN seq % 10 > 0 THEN seq - seq / 10 END,
    CASE WHEN seq % 10 = 0 THEN (seq - 1) / 20 * 20 + 1 END,
    CASE WHEN seq % 4 = 3 THEN seq - 2 END,
    digest::uuid::text, decode(digest || digest, 'hex'),
    CASE WHEN seq % 200 <> 5 THEN substr(repeat('What people say to one another, all day and half of the night: ', 9), 1 + n % 64, length) END,
    1, at, CASE WHEN seq % 200 = 5 THEN at END, CASE WHEN seq % 200 = 5 THEN author END
FROM (
    SELECT *, (row_number() OVER (PARTITION BY channel ORDER BY n))::integer AS seq, md5(n::text) AS digest,
        timestamptz '2020-01-01' + n * interval '30 seconds' AS at
    FROM drawn
) AS numbered
-- Channels lie among one another in the table, as when they were written.
ORDER BY n;

DO $$ DECLARE definition text; BEGIN
    FOR definition IN SELECT put_off.definition FROM put_off LOOP EXECUTE definition; END LOOP;
END $$;

INSERT INTO conversations (id, kind, last_seq, last_msg_no, last_message_seq, last_activity_at, version, created_at, updated_at)
SELECT id, 'CHANNEL', coalesce(head, 0), coalesce(head - head / 10, 0), newest, coalesce(at, '2020-01-01'), 1, '2020-01-01', '2020-01-01'
FROM (SELECT md5('channel ' || n)::uuid AS id FROM generate_series(1, 2000) AS n) AS channels LEFT JOIN (
    SELECT conversation_id AS id, max(seq) AS head, max(created_at) AS at,
        max(seq) FILTER (WHERE thread_root_seq IS NULL AND deleted_at IS NULL) AS newest
    FROM messages GROUP BY conversation_id
) AS written USING (id);

INSERT INTO channels (conversation_id, name, visibility, posting_role, position)
SELECT md5('channel ' || n)::uuid, 'Channel ' || n, 'PRIVATE', 'GUEST', n FROM generate_series(1, 2000) AS n;

INSERT INTO threads (conversation_id, root_seq, reply_count, last_reply_seq, last_reply_at)
SELECT conversation_id, thread_root_seq, count(*), max(seq), max(created_at)
FROM messages WHERE thread_root_seq IS NOT NULL GROUP BY conversation_id, thread_root_seq;

INSERT INTO conversation_events (conversation_id, seq, kind, actor_id, subject_seq, occurred_at)
SELECT conversation_id, seq, 1, author_id, seq, created_at FROM messages;

-- The viewer sits in 200 of the channels, and has not read the last thousand messages of any.
INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
SELECT id, md5('viewer')::uuid, gen_random_uuid(), 'MEMBER', '2020-01-01', read + greatest(0, read - 1) / 9, read
FROM (
    SELECT id, greatest(0, last_msg_no - 1000) AS read
    FROM generate_series(1, 2000, 10) AS n JOIN conversations ON id = md5('channel ' || n)::uuid
) AS kept;
INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
SELECT id, md5('person ' || 1 + (n * 31 + seat * 17) % 2000)::uuid, gen_random_uuid(), 'MEMBER', '2020-01-01', last_seq, last_msg_no
FROM generate_series(1, 2000) AS n JOIN conversations ON id = md5('channel ' || n)::uuid,
    generate_series(1, greatest(5, least(1000, 4000 / n))) AS seat;
UPDATE conversations SET member_count = seats.count
FROM (SELECT conversation_id, count(*) FROM conversation_members GROUP BY conversation_id) AS seats WHERE seats.conversation_id = id;
