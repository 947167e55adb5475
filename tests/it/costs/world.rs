//! A place where much was said, made by statements: by the public door it would take a minute.

use std::fmt::Write;

use serde_json::Value;

use crate::harness::{Actor, TestServer};

/// A server with a channel, and with more of everything the larger it is.
pub struct World {
    pub server: TestServer,
    /// Runs the server, and owns the channel.
    pub alice: Actor,
    /// A member of the channel, and of as many others as the world is large.
    pub bob: Actor,
    pub channel: String,
    /// A message with as many replies in its thread as the world is large.
    pub root: String,
    /// The channel's latest position.
    pub head: i64,
}

impl World {
    /// Everything that is shown is of somebody else: whoever is quoted, replied and wrote last is one more to look up.
    pub async fn of(size: usize) -> Self {
        let server = TestServer::start().await;
        let (alice, bob) = (server.register("alice").await, server.register("bob").await);
        let channel = alice.public_channel("Anywhere").await;
        bob.join(&channel).await;
        let sent = chinwag::messages::events::MESSAGE_SENT.0;
        let id = chinwag::id::decode(&channel).unwrap().1;
        let text = format!("Hello <@{}> <@everyone>", bob.id);
        let sql = format!(
            "CREATE FUNCTION person(n bigint) RETURNS uuid LANGUAGE sql AS
                 $$ SELECT id FROM users WHERE username = 'user' || n $$;
             INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
                 SELECT gen_random_uuid(), 'user' || n, 'User ' || n, 'USER', true, 1, now(), now()
                 FROM generate_series(1, 5 * {size}) n;
             INSERT INTO conversation_members
                     (conversation_id, user_id, id, role, joined_at, added_by_id, last_read_seq, last_read_no)
                 SELECT '{id}', person(n), gen_random_uuid(), 'MEMBER', now(), person(n % {size} + 1), 2, 0
                 FROM generate_series(1, 4 * {size}) n;
             -- First what will be quoted, then what quotes it, then a reply to each of that, then a thread as long.
             INSERT INTO messages (conversation_id, seq, id, author_id, kind, msg_no, thread_root_seq, reply_to_seq,
                     content, version, created_at)
                 SELECT '{id}', 2 + n, gen_random_uuid(), person(n), 'STANDARD',
                     CASE WHEN n <= 2 * {size} THEN n END,
                     CASE WHEN n > 3 * {size} THEN 3 WHEN n > 2 * {size} THEN 2 + n - {size} END,
                     CASE WHEN n > {size} AND n <= 2 * {size} THEN 2 + n - {size}
                          WHEN n > 3 * {size} THEN 2 + n - 3 * {size} END,
                     '{text}', 1, now()
                 FROM generate_series(1, 4 * {size}) n;
             -- All of it calls Bob and everyone, and all who answered follow what they answered.
             INSERT INTO mentions
                 SELECT conversation_id, seq, users.id, thread_root_seq, author_id, messages.created_at FROM messages, users
                 WHERE username = 'bob';
             INSERT INTO broadcast_mentions
                 SELECT conversation_id, seq, 'EVERYONE', thread_root_seq, author_id, created_at FROM messages;
             INSERT INTO thread_followers
                 SELECT conversation_id, thread_root_seq, author_id, true, max(seq), max(seq) FROM messages
                 WHERE thread_root_seq IS NOT NULL GROUP BY 1, 2, 3;
             INSERT INTO thread_followers
                 SELECT DISTINCT conversation_id, thread_root_seq, users.id, true, 0 FROM messages, users
                 WHERE username = 'bob' AND thread_root_seq IS NOT NULL;
             INSERT INTO threads
                 SELECT conversation_id, thread_root_seq, count(*), max(seq), max(created_at) FROM messages
                 WHERE thread_root_seq IS NOT NULL GROUP BY conversation_id, thread_root_seq;
             INSERT INTO conversation_events (conversation_id, seq, kind, actor_id, subject_seq, occurred_at)
                 SELECT conversation_id, seq, {sent}, author_id, seq, created_at FROM messages;
             UPDATE conversations SET last_seq = 2 + 4 * {size}, last_msg_no = 2 * {size},
                 last_message_seq = 2 + 2 * {size}, member_count = 2 + 4 * {size};
             CREATE TEMP TABLE more AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, {size}) n;
             INSERT INTO conversations (id, kind, last_seq, last_msg_no, last_message_seq, last_activity_at, member_count,
                     version, created_by_id, created_at, updated_at)
                 SELECT id, 'CHANNEL', 1, 1, 1, now(), 1, 1, person(n), now(), now() FROM more;
             INSERT INTO channels (conversation_id, name, slug, visibility, posting_role, position)
                 SELECT id, 'Channel ' || n, 'channel-' || n, 'PUBLIC', 'GUEST', n FROM more;
             INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
                 SELECT more.id, users.id, gen_random_uuid(), 'MEMBER', now(), 0, 0 FROM more, users
                 WHERE username = 'bob';
             INSERT INTO messages (conversation_id, seq, id, author_id, kind, msg_no, content, version, created_at)
                 SELECT id, 1, gen_random_uuid(), person(4 * {size} + n), 'STANDARD', 1, 'Hello', 1, now() FROM more;
             INSERT INTO notifications (user_id, id, kind, is_urgent, actor_id, conversation_id, seq, message_seq, created_at)
                 SELECT users.id, gen_random_uuid(), 'MENTION', false, messages.author_id, conversation_id, seq, seq,
                     messages.created_at
                 FROM messages, users WHERE username = 'bob' AND thread_root_seq IS NULL;"
        );
        server.database.execute(&sql).await;
        let root =
            server.database.rows(&format!("SELECT id FROM messages WHERE conversation_id = '{id}' AND seq = 3")).await;
        let root = chinwag::id::MessageId(root[0][0].parse().unwrap()).to_string();
        Self { server, alice, bob, channel, root, head: 2 + 4 * size as i64 }
    }

    /// People of the server who are in no conversation of it.
    pub async fn newcomers(&self, count: usize) -> Vec<String> {
        let sql = format!(
            "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
                 SELECT gen_random_uuid(), 'new' || n, 'New ' || n, 'USER', true, 1, now(), now()
                 FROM generate_series(1, {count}) n RETURNING id"
        );
        let ids = self.server.database.rows(&sql).await.into_iter().flatten();
        ids.map(|id| chinwag::id::UserId(id.parse().unwrap()).to_string()).collect()
    }

    pub async fn seat_of(&self, who: &Actor) -> String {
        let sql = format!(
            "SELECT m.id FROM conversation_members m JOIN users u ON u.id = m.user_id WHERE u.username = '{}' AND m.conversation_id = '{}'",
            who.name,
            chinwag::id::decode(&self.channel).unwrap().1
        );
        let id = self.server.database.rows(&sql).await;
        chinwag::id::MemberId(id[0][0].parse().unwrap()).to_string()
    }

    pub async fn mentions(&self, count: usize) -> String {
        let sql = format!("SELECT id FROM users WHERE username LIKE 'user%' LIMIT {count}");
        let ids = self.server.database.rows(&sql).await.into_iter().flatten();
        ids.map(|id| format!("<@{}>", chinwag::id::UserId(id.parse().unwrap()))).collect()
    }

    /// The statements of an operation, and its data.
    pub async fn costs(&self, who: &Actor, operation: &str, variables: Value) -> (Vec<String>, Value) {
        let ask = document(operation);
        let (statements, answer) = self.server.statements(who.ask(&ask, variables)).await;
        assert!(answer.0.get("errors").is_none(), "{operation}: {}", answer.0);
        (statements, answer.0["data"].clone())
    }
}

/// An operation with the fragments it uses, as a client would send it.
pub fn document(operation: &str) -> String {
    let pieces: Vec<&str> = include_str!("operations.graphql").split("\n\n").collect();
    let is_named = |piece: &str, name: &str| {
        let mut words = piece.lines().find(|line| !line.starts_with('#')).unwrap_or_default().split([' ', '(']);
        words.nth(1) == Some(name)
    };
    let find =
        |name: &str| pieces.iter().position(|piece| is_named(piece, name)).unwrap_or_else(|| panic!("no {name}"));
    let mut wanted = vec![find(operation)];
    for next in 0.. {
        let Some(piece) = wanted.get(next) else { break };
        let spreads =
            pieces[*piece].split("...").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap());
        for name in spreads.filter(|name| !name.is_empty()) {
            let found = find(name);
            if !wanted.contains(&found) {
                wanted.push(found);
            }
        }
    }
    let mut text = String::new();
    wanted.into_iter().for_each(|piece| writeln!(text, "{}", pieces[piece]).unwrap());
    text
}
