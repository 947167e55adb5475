-- People, conversations and what is said in them.
--
-- Rules that hold for every table here: no DEFAULT now() (time comes from the server's clock), enumerations are text with
-- a CHECK, constraints are named table_columns_key. Users are never deleted, only emptied, so foreign keys to them are
-- RESTRICT. Messages and events have no foreign keys at all: they are written under the row lock of their conversation,
-- by a statement that has just looked, and keys would cost more than all their other indexes.

CREATE TABLE users (
    id           uuid PRIMARY KEY,
    username     text NOT NULL CONSTRAINT users_username_key UNIQUE,
    display_name text NOT NULL,
    bio          text,
    role         text NOT NULL CHECK (role IN ('USER', 'MODERATOR', 'ADMIN')),
    is_claimed   boolean NOT NULL,
    version      integer NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    deleted_at   timestamptz,
    changed_xid  xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE users IS 'People, as anyone on the server may see them. Never deleted, only emptied.';
COMMENT ON COLUMN users.username IS 'Handle in lower case; of an unclaimed account it ends in ~ and the source it was imported from.';
COMMENT ON COLUMN users.is_claimed IS 'Whether somebody can sign in to it; false for authors of imported messages.';
COMMENT ON COLUMN users.changed_xid IS 'The transaction that last wrote the row, for streams that converge.';

CREATE TABLE accounts (
    user_id           uuid PRIMARY KEY REFERENCES users ON DELETE RESTRICT,
    email             text NOT NULL,
    email_verified_at timestamptz,
    password_hash     text,
    created_at        timestamptz NOT NULL
);
COMMENT ON TABLE accounts IS 'What somebody signs in with; imported people have none.';
COMMENT ON COLUMN accounts.email IS 'In lower case. Nobody''s until it is proven: unique among proven ones only.';
COMMENT ON COLUMN accounts.password_hash IS 'argon2id in PHC form; null for who signs in elsewhere only.';
CREATE UNIQUE INDEX accounts_email_key ON accounts (email) WHERE email_verified_at IS NOT NULL;
CREATE INDEX accounts_email_idx ON accounts (email, created_at);

CREATE TABLE sessions (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    client_name  text NOT NULL,
    ip_address   text,
    seed         bytea NOT NULL,
    generation   integer NOT NULL,
    refreshed_at timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    changed_xid  xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE sessions IS 'Sign-ins. No token is kept: a refresh token is derived from seed, generation and a key outside the database.';
COMMENT ON COLUMN sessions.generation IS 'Counts the refreshes; the token of the one before is answered with the present one for a minute.';
COMMENT ON COLUMN sessions.refreshed_at IS 'When the present generation began.';
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_ended_at_idx ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE creation_keys (
    user_id      uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    mutation     text NOT NULL,
    client_key   text NOT NULL,
    input_digest bytea NOT NULL,
    created_id   uuid NOT NULL,
    CONSTRAINT creation_keys_pkey PRIMARY KEY (user_id, mutation, client_key)
);
COMMENT ON TABLE creation_keys IS 'What a clientKey created, so that the same call again answers with it. Messages keep theirs themselves.';
COMMENT ON COLUMN creation_keys.input_digest IS 'SHA-256 of the input, to tell a replay from a reused key.';

CREATE TABLE conversations (
    id               uuid PRIMARY KEY,
    kind             text NOT NULL CHECK (kind IN ('CHANNEL', 'DIRECT')),
    last_seq         integer NOT NULL DEFAULT 0,
    last_msg_no      integer NOT NULL DEFAULT 0,
    last_message_seq integer,
    last_activity_at timestamptz NOT NULL,
    member_count     integer NOT NULL DEFAULT 0,
    version          integer NOT NULL,
    created_by_id    uuid REFERENCES users ON DELETE RESTRICT,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    archived_at      timestamptz,
    changed_xid      xid8 NOT NULL DEFAULT pg_current_xact_id()
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE conversations IS 'Where messages live: channels and direct conversations. The row that orders all that happens in one: whatever takes a seq, or changes what a send checks, locks it first. Its counters are never indexed, so that updates stay on the page (HOT).';
COMMENT ON COLUMN conversations.last_seq IS 'Position of the latest event in its log.';
COMMENT ON COLUMN conversations.last_msg_no IS 'Number of the latest message outside of threads; what is unread is a subtraction from it.';
COMMENT ON COLUMN conversations.last_message_seq IS 'The newest message outside of threads that is not deleted.';
COMMENT ON COLUMN conversations.last_activity_at IS 'When something was last written; times of messages never run backwards from it.';
CREATE INDEX conversations_created_by_id_idx ON conversations (created_by_id);

CREATE TABLE channels (
    conversation_id uuid PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
    name            text NOT NULL,
    slug            text,
    topic           text,
    visibility      text NOT NULL CHECK (visibility IN ('PUBLIC', 'PRIVATE')),
    posting_role    text NOT NULL CHECK (posting_role IN ('OWNER', 'ADMIN', 'MODERATOR', 'MEMBER', 'GUEST')),
    CONSTRAINT channels_slug_check CHECK ((visibility = 'PUBLIC') = (slug IS NOT NULL))
);
COMMENT ON TABLE channels IS 'Names and settings of channels, apart from conversations so that the hot row stays narrow.';
COMMENT ON COLUMN channels.slug IS 'Address among the public channels. What is private has none, so that a conflict cannot betray it.';
CREATE UNIQUE INDEX channels_slug_key ON channels (slug);
CREATE INDEX channels_name_idx ON channels (lower(name), conversation_id);

CREATE TABLE conversation_members (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    user_id         uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    id              uuid NOT NULL CONSTRAINT conversation_members_id_key UNIQUE,
    role            text NOT NULL CHECK (role IN ('OWNER', 'ADMIN', 'MODERATOR', 'MEMBER', 'GUEST')),
    rank            smallint NOT NULL GENERATED ALWAYS AS (
                        array_position(ARRAY['OWNER', 'ADMIN', 'MODERATOR', 'MEMBER', 'GUEST'], role)) STORED,
    joined_at       timestamptz NOT NULL,
    added_by_id     uuid REFERENCES users ON DELETE RESTRICT,
    left_at         timestamptz,
    departure       text CHECK (departure IN ('LEFT', 'REMOVED', 'BANNED', 'ACCESS_LOST')),
    departure_note  text,
    last_read_seq   integer NOT NULL,
    last_read_no    integer NOT NULL,
    last_read_at    timestamptz,
    own_unread      integer NOT NULL DEFAULT 0,
    changed_xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT conversation_members_pkey PRIMARY KEY (conversation_id, user_id),
    CONSTRAINT conversation_members_left_check CHECK ((left_at IS NULL) = (departure IS NULL))
) WITH (fillfactor = 80);
COMMENT ON TABLE conversation_members IS 'Seats: one row per conversation and person, kept when they leave, with a new id on each rejoin.';
COMMENT ON COLUMN conversation_members.rank IS 'Place of the role, 1 for OWNER: members are listed by it.';
COMMENT ON COLUMN conversation_members.departure IS 'How the membership ended.';
COMMENT ON COLUMN conversation_members.departure_note IS 'Why, as the one who ended it wrote it.';
COMMENT ON COLUMN conversation_members.last_read_no IS 'Number of the last message read; joining moves it to the head.';
COMMENT ON COLUMN conversation_members.own_unread IS 'One''s own messages behind a position that was moved back. A move forward takes off those that it passes.';
CREATE INDEX conversation_members_user_id_idx ON conversation_members (user_id);
CREATE INDEX conversation_members_added_by_id_idx ON conversation_members (added_by_id);
CREATE INDEX conversation_members_order_idx ON conversation_members (conversation_id, rank, joined_at, id) WHERE left_at IS NULL;
CREATE UNIQUE INDEX conversation_members_owner_key ON conversation_members (conversation_id) WHERE role = 'OWNER' AND left_at IS NULL;

CREATE TABLE messages (
    conversation_id uuid NOT NULL,
    seq             integer NOT NULL,
    id              uuid NOT NULL,
    author_id       uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('STANDARD', 'SYSTEM')),
    msg_no          integer,
    thread_root_seq integer,
    reply_to_seq    integer,
    client_key      text,
    input_digest    bytea,
    content         text,
    version         integer NOT NULL,
    created_at      timestamptz NOT NULL,
    edited_at       timestamptz,
    deleted_at      timestamptz,
    deleted_by_id   uuid,
    CONSTRAINT messages_pkey PRIMARY KEY (conversation_id, seq)
) WITH (fillfactor = 95, autovacuum_vacuum_insert_scale_factor = 0.05);
COMMENT ON TABLE messages IS 'What people say. A deleted message stays as a tombstone without content.';
COMMENT ON COLUMN messages.seq IS 'The position in the log at which it was sent.';
COMMENT ON COLUMN messages.msg_no IS 'Counts messages outside of threads; replies in threads and what the server says have none.';
COMMENT ON COLUMN messages.thread_root_seq IS 'The message whose thread it is in.';
COMMENT ON COLUMN messages.reply_to_seq IS 'The message it quotes.';
COMMENT ON COLUMN messages.client_key IS 'Unique per sender and conversation, for ever; null for imported ones.';
COMMENT ON COLUMN messages.input_digest IS 'SHA-256 of what was sent, to tell a replay from a reused key.';
CREATE UNIQUE INDEX messages_id_key ON messages (id);
CREATE UNIQUE INDEX messages_conversation_id_author_id_client_key_key ON messages (conversation_id, author_id, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX messages_thread_idx ON messages (conversation_id, thread_root_seq, seq) WHERE thread_root_seq IS NOT NULL;
-- Without it, a page of a conversation whose threads are long would read their replies and throw them away.
CREATE INDEX messages_timeline_idx ON messages (conversation_id, seq) WHERE thread_root_seq IS NULL;
CREATE INDEX messages_time_idx ON messages (conversation_id, created_at, seq);
CREATE INDEX messages_dead_idx ON messages (conversation_id, msg_no) WHERE deleted_at IS NOT NULL;

CREATE TABLE message_revisions (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq             integer NOT NULL,
    version         integer NOT NULL,
    content         text NOT NULL,
    replaced_at     timestamptz NOT NULL,
    replaced_by_id  uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    CONSTRAINT message_revisions_pkey PRIMARY KEY (conversation_id, seq, version)
);
COMMENT ON TABLE message_revisions IS 'What edited and deleted messages said before.';
CREATE INDEX message_revisions_replaced_by_id_idx ON message_revisions (replaced_by_id);

CREATE TABLE threads (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    root_seq        integer NOT NULL,
    reply_count     integer NOT NULL,
    last_reply_seq  integer,
    last_reply_at   timestamptz,
    CONSTRAINT threads_pkey PRIMARY KEY (conversation_id, root_seq)
) WITH (fillfactor = 80);
COMMENT ON TABLE threads IS 'Counters of the replies under a message; deleted replies are left out.';

CREATE TABLE mentions (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq             integer NOT NULL,
    user_id         uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    thread_root_seq integer,
    CONSTRAINT mentions_pkey PRIMARY KEY (conversation_id, seq, user_id)
);
COMMENT ON TABLE mentions IS 'Who is mentioned by name in which message; unread ones are counted from here.';
CREATE INDEX mentions_user_id_idx ON mentions (user_id, conversation_id, seq);

CREATE TABLE broadcast_mentions (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    seq             integer NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('EVERYONE', 'HERE')),
    thread_root_seq integer,
    CONSTRAINT broadcast_mentions_pkey PRIMARY KEY (conversation_id, seq, kind)
);
COMMENT ON TABLE broadcast_mentions IS 'Messages that mention everyone at once: one row, however many members there are.';

CREATE TABLE conversation_events (
    conversation_id uuid NOT NULL,
    seq             integer NOT NULL,
    kind            smallint NOT NULL,
    actor_id        uuid,
    subject_seq     integer,
    payload         jsonb,
    occurred_at     timestamptz NOT NULL,
    CONSTRAINT conversation_events_pkey PRIMARY KEY (conversation_id, seq)
);
COMMENT ON TABLE conversation_events IS 'The log of each conversation, gapless: what streams resume from. Append only.';
COMMENT ON COLUMN conversation_events.kind IS 'See log::Kind.';
COMMENT ON COLUMN conversation_events.actor_id IS 'Who did it; null for the server.';
COMMENT ON COLUMN conversation_events.subject_seq IS 'The message it is about.';
COMMENT ON COLUMN conversation_events.payload IS 'What else the kind needs: ids and enumerations, never a copy of what can be read.';

CREATE TABLE audit_entries (
    id         uuid PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor_id   uuid REFERENCES users ON DELETE RESTRICT,
    action     text NOT NULL,
    subject_id text NOT NULL,
    details    jsonb NOT NULL
);
COMMENT ON TABLE audit_entries IS 'Who did what to whom. Append only: a trigger refuses everything else.';
COMMENT ON COLUMN audit_entries.actor_id IS 'Null for the server and its operator.';
COMMENT ON COLUMN audit_entries.subject_id IS 'The public id of what it was done to.';
CREATE INDEX audit_entries_subject_id_idx ON audit_entries (subject_id, id);
CREATE INDEX audit_entries_actor_id_idx ON audit_entries (actor_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append only', TG_TABLE_NAME; END $$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION touch_changed_xid() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.changed_xid := pg_current_xact_id(); RETURN NEW; END $$;
CREATE TRIGGER users_changed_xid BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();
CREATE TRIGGER sessions_changed_xid BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();
CREATE TRIGGER conversation_members_changed_xid BEFORE UPDATE ON conversation_members FOR EACH ROW EXECUTE FUNCTION touch_changed_xid();

CREATE TABLE import_sources (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CONSTRAINT import_sources_name_key UNIQUE
);
COMMENT ON TABLE import_sources IS 'Where imported conversations came from, by the name the operator gave.';

CREATE TABLE import_channels (
    source_id       integer NOT NULL REFERENCES import_sources ON DELETE CASCADE,
    name            text NOT NULL,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    last_line       integer NOT NULL,
    CONSTRAINT import_channels_pkey PRIMARY KEY (source_id, name)
);
COMMENT ON TABLE import_channels IS 'Which conversation a channel of a source became, and how far it has been read in.';
CREATE INDEX import_channels_conversation_id_idx ON import_channels (conversation_id);

CREATE TABLE import_people (
    source_id integer NOT NULL REFERENCES import_sources ON DELETE CASCADE,
    nick      text NOT NULL,
    user_id   uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    CONSTRAINT import_people_pkey PRIMARY KEY (source_id, nick)
);
COMMENT ON TABLE import_people IS 'Which user a nick of a source became.';
CREATE INDEX import_people_user_id_idx ON import_people (user_id);

CREATE TABLE import_lines (
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    line            integer NOT NULL,
    seq             integer NOT NULL,
    thread_root_seq integer,
    CONSTRAINT import_lines_pkey PRIMARY KEY (conversation_id, line)
);
COMMENT ON TABLE import_lines IS 'Which message a line became, so that later lines can answer it and a second run adds nothing.';
