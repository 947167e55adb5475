//! `chinwag import`: what lines become, that it may be run again at any time, and that it disturbs nobody.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chinwag::app::App;
use chinwag::clock::Clock;
use chinwag::config::Config;
use chinwag::conversations::{self, Reference};
use chinwag::db;
use chinwag::db::embedded::Cluster;
use chinwag::error::Code;
use chinwag::id::{ConversationId, SessionId};
use chinwag::import::{BadLine, Input, News, Options, SourceName, Summary, import};
use chinwag::keys::Keys;
use chinwag::log::Follower;
use chinwag::messages::{self, Draft, DraftInput};
use chinwag::users::{self, ServerRole};
use chinwag::viewer::Viewer;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio_postgres::SimpleQueryMessage;

/// A database of the test's own, and a server on it.
struct Here {
    url: String,
    app: App,
}

impl Here {
    async fn new() -> Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let cluster = CLUSTER.get_or_init(|| Cluster::throwaway().expect("PostgreSQL starts"));
        let name = format!("import_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        db::create_database(&cluster.url("postgres"), &name).await.unwrap();
        let url = cluster.url(&name);
        db::migrate(&url).await.unwrap();
        let app = Self::app_on(&url);
        Self { url, app }
    }

    fn app_on(url: &str) -> App {
        let config = Config::for_tests(url.to_owned(), std::env::temp_dir());
        App::new(config, Clock::default(), url.to_owned(), Keys::new("a secret of the tests")).unwrap()
    }

    async fn person(&self, name: &str, role: ServerRole) -> Viewer {
        let (now, name) = (self.app.clock.now(), name.to_owned());
        let user = self
            .app
            .db
            .transaction(async move |tx| users::create(tx, now, name.clone(), name, role).await)
            .await
            .unwrap();
        Viewer { user_id: user.id, session_id: SessionId::at(now) }
    }

    /// Imports lines of the source `irc`, which must all be good.
    async fn import(&self, lines: &[Value]) -> Summary {
        let (summary, bad) = self.import_text(&text(lines), false).await;
        assert_eq!(bad, []);
        summary
    }

    async fn import_in_threads(&self, lines: &[Value]) -> Summary {
        self.import_text(&text(lines), true).await.0
    }

    async fn import_text(&self, text: &str, is_threaded: bool) -> (Summary, Vec<BadLine>) {
        let mut bad = Vec::new();
        let options = Options { source: SourceName::from("IRC").unwrap(), is_threaded };
        let input = Input::new(std::io::Cursor::new(text.to_owned()), None).unwrap();
        let summary = import(&self.app, options, input, |news| {
            if let News::Bad(line) = news {
                bad.push(line.clone());
            }
        })
        .await
        .unwrap();
        (summary, bad)
    }

    /// What SQL answers: fields of a row divided by spaces.
    async fn ask(&self, sql: &str) -> Vec<String> {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let answer = client.simple_query(sql).await.unwrap();
        let rows = answer.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|place| row.get(place).unwrap_or("-")).collect::<Vec<_>>().join(" "))
            }
            _ => None,
        });
        rows.collect()
    }

    async fn channel(&self, slug: &str) -> Reference {
        let found = self.ask(&format!("SELECT conversation_id FROM channels WHERE slug = '{slug}'")).await;
        Reference { kind: conversations::Kind::Channel, id: ConversationId(found[0].parse().unwrap()) }
    }

    /// The log of each channel in words, and everything that is counted.
    async fn story(&self) -> Vec<String> {
        self.ask(
            "SELECT ch.name, e.seq, e.kind, u.username, e.occurred_at, m.msg_no, m.thread_root_seq, m.reply_to_seq, m.content \
             FROM conversation_events e JOIN channels ch USING (conversation_id) JOIN users u ON u.id = e.actor_id \
             LEFT JOIN messages m ON (m.conversation_id, m.seq) = (e.conversation_id, e.subject_seq) ORDER BY 1, 2",
        )
        .await
    }

    async fn assert_consistent(&self) {
        for (what, wrong) in [
            (
                "positions are 1, 2, 3 … up to the counter",
                "SELECT c.id FROM conversations c LEFT JOIN conversation_events e ON e.conversation_id = c.id GROUP BY c.id \
                 HAVING (c.last_seq, c.last_seq) <> (count(e.seq), coalesce(max(e.seq), 0))",
            ),
            (
                "numbers are 1, 2, 3 … up to the counter",
                "SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id GROUP BY c.id \
                 HAVING (c.last_msg_no, c.last_msg_no) <> (count(m.msg_no), coalesce(max(m.msg_no), 0))",
            ),
            (
                "who is in a thread has no number, and others have one in the order of positions",
                "SELECT seq FROM (SELECT *, rank() OVER (PARTITION BY conversation_id ORDER BY seq) AS place FROM messages \
                 WHERE thread_root_seq IS NULL) m WHERE msg_no IS DISTINCT FROM place \
                 UNION ALL SELECT seq FROM messages WHERE thread_root_seq IS NOT NULL AND msg_no IS NOT NULL",
            ),
            (
                "each message is one event, by its author and at its time",
                "SELECT m.seq FROM messages m LEFT JOIN conversation_events e USING (conversation_id, seq) WHERE \
                 (e.kind, e.subject_seq, e.actor_id, e.occurred_at) IS DISTINCT FROM (1, m.seq, m.author_id, m.created_at)",
            ),
            (
                "times never run backwards",
                "SELECT seq FROM (SELECT *, lag(occurred_at) OVER (PARTITION BY conversation_id ORDER BY seq) AS before \
                 FROM conversation_events) e WHERE occurred_at < before",
            ),
            (
                "ids carry the times of their messages",
                "SELECT seq FROM messages WHERE ('x' || lpad(replace(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint \
                 <> round(extract(epoch FROM created_at) * 1000)",
            ),
            (
                "the last message and activity",
                "SELECT c.id FROM conversations c LEFT JOIN messages m ON m.conversation_id = c.id GROUP BY c.id \
                 HAVING (c.last_message_seq, c.last_activity_at) IS DISTINCT FROM \
                 (max(seq) FILTER (WHERE thread_root_seq IS NULL), coalesce(max(m.created_at), c.created_at))",
            ),
            (
                "members are counted",
                "SELECT c.id FROM conversations c WHERE member_count <> (SELECT count(*) FROM conversation_members m \
                 WHERE m.conversation_id = c.id AND left_at IS NULL)",
            ),
            (
                "a seat is held where the last event about it is a joining, with the id that this says",
                "SELECT m.user_id FROM conversation_members m LEFT JOIN LATERAL (SELECT * FROM conversation_events e \
                 WHERE kind IN (10, 11) AND e.conversation_id = m.conversation_id \
                 AND payload ->> 'user' = m.user_id::text ORDER BY seq DESC LIMIT 1) e ON true \
                 WHERE (m.id::text, left_at IS NULL) IS DISTINCT FROM (e.payload ->> 'member', e.kind = 10)",
            ),
            (
                "unread is a subtraction",
                "SELECT m.user_id FROM conversation_members m JOIN conversations c ON c.id = m.conversation_id \
                 WHERE left_at IS NULL AND c.last_msg_no - m.last_read_no - m.own_unread <> (SELECT count(msg_no) \
                 FROM messages s WHERE s.conversation_id = c.id AND s.seq > m.last_read_seq)",
            ),
            (
                "nobody has unread messages of their own",
                "SELECT m.user_id FROM conversation_members m JOIN messages s ON (s.conversation_id, s.author_id) = \
                 (m.conversation_id, m.user_id) WHERE left_at IS NULL AND s.seq > m.last_read_seq AND s.msg_no IS NOT NULL",
            ),
            (
                "replies are counted, and are under messages that are in no thread",
                "SELECT coalesce(t.root_seq, m.root_seq) FROM threads t FULL JOIN (SELECT conversation_id, thread_root_seq \
                 AS root_seq, count(*) AS replies, max(seq) AS last FROM messages WHERE thread_root_seq IS NOT NULL \
                 GROUP BY 1, 2) m USING (conversation_id, root_seq) \
                 WHERE (t.reply_count, t.last_reply_seq) IS DISTINCT FROM (m.replies, m.last) \
                 UNION ALL SELECT r.seq FROM messages m JOIN messages r ON (r.conversation_id, r.seq) = \
                 (m.conversation_id, m.thread_root_seq) WHERE r.msg_no IS NULL",
            ),
        ] {
            assert_eq!(self.ask(wrong).await, Vec::<String>::new(), "{what}");
        }
    }
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A line at this minute of an hour long ago, with further fields.
fn line(channel: &str, id: i32, minute: i32, kind: &str, nick: &str, more: Value) -> Value {
    let at = format!("2004-11-15T12:{minute:02}:00Z");
    let mut line = json!({ "channel": channel, "id": id, "at": at, "kind": kind, "nick": nick });
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    line
}

fn says(id: i32, nick: &str, text: &str) -> Value {
    line("ubuntu", id, id, "message", nick, json!({ "text": text }))
}

fn answers(id: i32, nick: &str, to: i32) -> Value {
    line("ubuntu", id, id, "message", nick, json!({ "text": format!("to {to}"), "reply_to": to }))
}

fn does(id: i32, kind: &str, nick: &str) -> Value {
    line("ubuntu", id, id, kind, nick, json!({}))
}

/// Two channels by turns, in which people come, write, answer, go and change their names.
fn long_story(lines: i32) -> Vec<Value> {
    (1..=lines)
        .map(|n| {
            let channel = ["#rust", "ubuntu"][(n / 7 % 2) as usize];
            // Sometimes from before the line before.
            let minute = (n / 100 + n * 31 % 3) % 60;
            let nick = format!("Nick{}", n * 7919 % 113);
            match n % 13 {
                0 => line(channel, n, minute, "join", &nick, json!({})),
                1 => line(channel, n, minute, "part", &nick, json!({})),
                2 => line(channel, n, minute, "nick", &nick, json!({ "new_nick": format!("{nick}_") })),
                3 => line(channel, n, minute, "action", &nick, json!({ "text": format!("waves {n}") })),
                4..8 => line(
                    channel,
                    n,
                    minute,
                    "message",
                    &nick,
                    json!({ "text": format!("text {n}"), "reply_to": n - n % 9 - 1 }),
                ),
                _ => line(channel, n, minute, "message", &nick, json!({ "text": format!("text {n}") })),
            }
        })
        .collect()
}

#[tokio::test]
async fn nicks_become_people_nobody_can_sign_in_as() {
    let here = Here::new().await;
    let nicks = ["Alice", "alice", "|trey|", "[trey]", "alice-2", "ALICE", "Zoë"];
    let lines: Vec<Value> = nicks.iter().zip(1..).map(|(nick, id)| says(id, nick, "hi")).collect();
    assert_eq!(here.import(&lines[..2]).await.people, 2);
    assert_eq!(here.import(&lines).await.people, 5);

    let people = here.ask("SELECT username, display_name, role, is_claimed FROM users ORDER BY created_at").await;
    assert_eq!(
        people,
        [
            "alice~irc Alice USER f",
            "alice-2~irc alice USER f",
            "-trey-~irc |trey| USER f",
            "-trey--2~irc [trey] USER f",
            "alice-2-2~irc alice-2 USER f",
            "alice-3~irc ALICE USER f",
            "zo-~irc Zoë USER f",
        ]
    );
    assert_eq!(here.ask("SELECT count(*) FROM accounts").await, ["0"]);
}

#[tokio::test]
async fn channels_are_public_and_belong_to_the_first_admin() {
    let here = Here::new().await;
    here.person("alice", ServerRole::User).await;
    let bob = here.person("bob", ServerRole::Admin).await;
    here.app.clock.advance(chrono::TimeDelta::seconds(1));
    here.person("carol", ServerRole::Admin).await;
    let lines = [("#Ubuntu", 1), ("ubuntu", 1), ("ubuntu", 2)]
        .map(|(channel, id)| line(channel, id, id, "message", "dave", json!({ "text": "hi" })));
    assert_eq!(here.import(&lines).await.channels, 2);

    let channels = here
        .ask(
            "SELECT name, slug, visibility, posting_role, c.created_at, member_count, last_msg_no, u.username FROM channels \
             JOIN conversations c ON c.id = conversation_id JOIN users u ON u.id = created_by_id ORDER BY name",
        )
        .await;
    assert_eq!(
        channels,
        [
            "#Ubuntu ubuntu PUBLIC GUEST 2004-11-15 12:01:00+00 2 1 bob",
            "ubuntu ubuntu-2 PUBLIC GUEST 2004-11-15 12:01:00+00 2 2 bob",
        ]
    );
    let owners = here.ask("SELECT DISTINCT user_id FROM conversation_members WHERE role = 'OWNER'").await;
    assert_eq!(owners, [bob.user_id.0.to_string()]);
    here.assert_consistent().await;
}

#[tokio::test]
async fn without_an_admin_a_channel_belongs_to_nobody() {
    let here = Here::new().await;
    here.import(&[says(1, "alice", "hi")]).await;
    assert_eq!(here.ask("SELECT created_by_id, member_count FROM conversations").await, ["- 1"]);
    assert_eq!(here.ask("SELECT role FROM conversation_members").await, ["MEMBER"]);
}

#[tokio::test]
async fn people_come_and_go() {
    let here = Here::new().await;
    let renamed = |id, from: &str, to: &str| line("ubuntu", id, id, "nick", from, json!({ "new_nick": to }));
    let summary = here
        .import(&[
            does(1, "part", "ghost"),
            does(2, "join", "alice"),
            does(3, "join", "alice"),
            says(4, "bob", "hi"),
            line("ubuntu", 5, 5, "action", "alice", json!({ "text": "waves" })),
            renamed(6, "alice", "alice_"),
            renamed(7, "ghost", "carol"),
            does(8, "part", "bob"),
            does(9, "part", "bob"),
            says(10, "bob", "back"),
            renamed(11, "bob", "bob"),
        ])
        .await;
    assert_eq!((summary.lines, summary.messages, summary.left_without_a_seat), (11, 3, 3));

    let joined = |seq, who, minute| format!("ubuntu {seq} 10 {who}~irc 2004-11-15 12:{minute:02}:00+00 - - - -");
    let left = |seq, who, minute| format!("ubuntu {seq} 11 {who}~irc 2004-11-15 12:{minute:02}:00+00 - - - -");
    let said = |seq, who, minute, no, what| {
        format!("ubuntu {seq} 1 {who}~irc 2004-11-15 12:{minute:02}:00+00 {no} - - {what}")
    };
    assert_eq!(
        here.story().await,
        [
            joined(1, "alice", 2),
            joined(2, "bob", 4),
            said(3, "bob", 4, 1, "hi"),
            said(4, "alice", 5, 2, "/me waves"),
            left(5, "alice", 6),
            joined(6, "alice_", 6),
            joined(7, "carol", 7),
            left(8, "bob", 8),
            joined(9, "bob", 10),
            said(10, "bob", 10, 3, "back"),
        ]
    );
    let seats = here
        .ask(
            "SELECT username, departure, last_read_seq, last_read_no FROM conversation_members \
             JOIN users u ON u.id = user_id ORDER BY username",
        )
        .await;
    assert_eq!(seats, ["alice_~irc - 6 2", "alice~irc LEFT 4 2", "bob~irc - 10 3", "carol~irc - 7 2"]);
    assert_eq!(here.ask("SELECT username FROM users WHERE username LIKE 'ghost%'").await, Vec::<String>::new());
    here.assert_consistent().await;
}

#[tokio::test]
async fn whoever_was_banned_stays_away() {
    let here = Here::new().await;
    here.import(&[says(1, "mallory", "spam")]).await;
    here.ask("UPDATE conversation_members SET departure = 'BANNED', left_at = now()").await;
    here.ask("UPDATE conversations SET member_count = 0").await;
    here.import(&[says(1, "mallory", "spam"), does(2, "join", "mallory"), says(3, "mallory", "spam")]).await;
    assert_eq!(here.ask("SELECT departure FROM conversation_members").await, ["BANNED"]);
    assert_eq!(here.ask("SELECT member_count, last_msg_no, last_seq FROM conversations").await, ["0 2 3"]);
}

#[tokio::test]
async fn an_answer_quotes_what_it_answers() {
    let here = Here::new().await;
    let lines = [says(1, "alice", "a"), answers(2, "bob", 1), answers(3, "alice", 2), answers(4, "bob", 99)];
    assert_eq!(here.import(&lines[..2]).await.unanswered, 0);
    assert_eq!(here.import(&lines).await.unanswered, 1);
    let told = here.ask("SELECT m.seq, r.content, m.thread_root_seq, m.msg_no FROM messages m LEFT JOIN messages r ON r.seq = m.reply_to_seq ORDER BY 1").await;
    assert_eq!(told, ["2 - - 1", "4 a - 2", "5 to 1 - 3", "6 - - 4"]);
    assert_eq!(here.ask("SELECT count(*) FROM threads").await, ["0"]);
}

#[tokio::test]
async fn with_threads_an_answer_is_a_reply_under_its_first_ancestor() {
    let here = Here::new().await;
    let lines = [
        says(1, "alice", "a"),
        answers(2, "bob", 1),
        answers(3, "alice", 2),
        says(4, "carol", "b"),
        answers(5, "bob", 4),
        answers(6, "bob", 3),
    ];
    // Each run knows what the runs before it wrote.
    for end in [2, 4, 6] {
        here.import_in_threads(&lines[..end]).await;
    }
    let told = here.ask("SELECT m.content, r.content, m.msg_no, m.reply_to_seq FROM messages m LEFT JOIN messages r ON r.seq = m.thread_root_seq ORDER BY m.seq").await;
    assert_eq!(told, ["a - 1 -", "to 1 a - -", "to 2 a - -", "b - 2 -", "to 4 b - -", "to 3 a - -"]);
    assert_eq!(here.ask("SELECT reply_count FROM threads ORDER BY root_seq").await, ["3", "1"]);
    here.assert_consistent().await;
}

#[tokio::test]
async fn an_answer_to_a_quote_without_a_thread_starts_one_under_it() {
    let here = Here::new().await;
    here.import(&[says(1, "alice", "a"), answers(2, "bob", 1)]).await;
    here.import_in_threads(&[answers(3, "alice", 2)]).await;
    let told = here.ask("SELECT r.content FROM messages m JOIN messages r ON r.seq = m.thread_root_seq").await;
    assert_eq!(told, ["to 1"]);
}

#[tokio::test]
async fn logs_and_counters_are_as_if_all_had_been_sent() {
    let here = Here::new().await;
    here.person("alice", ServerRole::Admin).await;
    let summary = here.import_in_threads(&long_story(6_000)).await;
    assert_eq!((summary.lines, summary.channels, summary.bad), (6_000, 2, 0));
    here.assert_consistent().await;
    // It means something: there are threads, departures, and messages that their authors have not the last of.
    let counts = here
        .ask(
            "SELECT (SELECT count(*) FROM threads) > 100, (SELECT count(*) FROM conversation_events WHERE kind = 11) > 100, \
             (SELECT count(*) FROM conversation_members WHERE left_at IS NULL AND last_read_no < 100) > 0",
        )
        .await;
    assert_eq!(counts, ["t t t"]);
}

#[tokio::test]
async fn a_second_run_adds_nothing() {
    let here = Here::new().await;
    let lines = long_story(3_000);
    here.import(&lines).await;
    let before = here.story().await;
    let again = here.import(&lines).await;
    assert_eq!(again, Summary { lines: 3_000, known: 3_000, ..Summary::default() });
    assert_eq!(here.story().await, before);
}

#[tokio::test]
async fn an_interrupted_run_is_finished_by_the_next() {
    let (whole, parts) = (Here::new().await, Here::new().await);
    let lines = long_story(3_000);
    whole.import_in_threads(&lines).await;
    for end in [1, 700, 2_500, 3_000] {
        parts.import_in_threads(&lines[..end]).await;
    }
    parts.assert_consistent().await;
    assert_eq!(parts.story().await, whole.story().await);
}

#[tokio::test]
async fn a_truncated_file_fails_and_leaves_what_was_whole() {
    let here = Here::new().await;
    let lines = long_story(12_000);
    let whole = gzip(&text(&lines));
    let cut = whole[..whole.len() * 9 / 10].to_vec();
    let options = Options { source: SourceName::from("irc").unwrap(), is_threaded: false };
    let input = Input::new(std::io::Cursor::new(cut), None).unwrap();
    let failed = import(&here.app, options, input, |_| {}).await.unwrap_err();
    assert_eq!(failed.code(), Code::BadRequest);
    here.assert_consistent().await;
    let summary = here.import(&lines).await;
    assert!(summary.known >= 2_000 && summary.known < 12_000, "{summary:?}");
    here.assert_consistent().await;
    let messages = lines.iter().filter(|line| line.get("text").is_some()).count();
    assert_eq!(here.ask("SELECT sum(last_msg_no) FROM conversations").await, [messages.to_string()]);
}

#[tokio::test]
async fn a_bad_line_is_named_and_skipped() {
    let here = Here::new().await;
    let long = "x".repeat(10_001);
    let endless = "x".repeat(300_000);
    let lines = [
        (says(1, "alice", "a").to_string(), None),
        ("{\"channel\": \"ubuntu\"".into(), Some("not JSON")),
        (String::new(), None),
        (says(2, "alice", " ").to_string(), Some("`text`: is empty")),
        (says(3, "alice", &long).to_string(), Some("`text`: At most 10000 characters")),
        (says(4, "alice", "a\0b").to_string(), Some("`text`: Control characters are not allowed")),
        (says(5, "alice", &endless).to_string(), Some("is too long")),
        (does(6, "dance", "alice").to_string(), Some("`kind`")),
        (says(1, "alice", "again").to_string(), Some("`id`: 1 comes after 1 in channel \"ubuntu\"")),
        (says(7, "alice", "b").to_string(), None),
    ];
    let file = lines.iter().map(|(line, _)| format!("{line}\n")).collect::<String>();
    let (summary, bad) = here.import_text(&file, false).await;
    let told: BTreeMap<u64, &str> = bad.iter().map(|bad| (bad.number, bad.reason.as_str())).collect();
    let expected: BTreeMap<u64, &str> =
        lines.iter().zip(1..).filter_map(|((_, reason), number)| reason.map(|reason| (number, reason))).collect();
    assert_eq!(told.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (number, reason) in expected {
        assert!(told[&number].contains(reason), "{number}: {}", told[&number]);
    }
    assert_eq!((summary.lines, summary.messages, summary.bad), (9, 2, 7));
    assert_eq!(here.ask("SELECT content FROM messages ORDER BY seq").await, ["a", "b"]);
    here.assert_consistent().await;
}

#[tokio::test]
async fn an_archived_channel_takes_nothing() {
    let here = Here::new().await;
    here.import(&[says(1, "alice", "a")]).await;
    here.ask("UPDATE conversations SET archived_at = now()").await;
    let options = Options { source: SourceName::from("irc").unwrap(), is_threaded: false };
    let input = Input::new(std::io::Cursor::new(text(&[says(2, "alice", "b")])), None).unwrap();
    let refused = import(&here.app, options, input, |_| {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Archived);
    assert!(refused.message().contains("ubuntu"));
    assert_eq!(here.ask("SELECT last_seq FROM conversations").await, ["2"]);
}

/// Another process imports, while people here write and follow.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_goes_on_and_follows() {
    const SENT: usize = 60;
    let here = Here::new().await;
    let alice = here.person("alice", ServerRole::User).await;
    let lines: Vec<Value> = long_story(12_000).into_iter().filter(|line| line["channel"] == "ubuntu").collect();
    here.import(&lines[..10]).await;
    let channel = here.channel("ubuntu").await;
    conversations::join_channel(&here.app, &alice, channel).await.unwrap();

    let listening = tokio::spawn(chinwag::log::listen(here.app.clone()));
    let mut follower = Follower::new(here.app.db.clone(), &here.app.hub, channel.id, 0);
    let sending = tokio::spawn({
        let app = here.app.clone();
        async move {
            for number in 0..SENT {
                let draft = Draft::from(DraftInput {
                    conversation_id: channel.to_string(),
                    client_key: format!("key number {number}"),
                    content: Some(format!("live {number}")),
                    reply_to_id: None,
                    thread_root_id: None,
                });
                messages::send(&app, &alice, draft.unwrap()).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    });
    let elsewhere = Here { url: here.url.clone(), app: Here::app_on(&here.url) };
    let summary = elsewhere.import(&lines).await;
    sending.await.unwrap();

    assert_eq!(summary.known, 10);
    here.assert_consistent().await;
    assert_eq!(here.ask("SELECT count(*) FROM messages WHERE content LIKE 'live %'").await, [SENT.to_string()]);
    let head: i32 = here.ask("SELECT last_seq FROM conversations").await[0].parse().unwrap();
    let mut position = 0;
    while position < head {
        let next = tokio::time::timeout(Duration::from_secs(20), follower.next()).await.expect("it comes").unwrap();
        if next.has_gap {
            // So far behind that it is told to begin anew.
            position = next.seq;
        }
        for event in &next.events {
            assert_eq!(event.seq, position + 1);
            position = event.seq;
        }
    }
    listening.abort();
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

/// The program, on this database, away from any `.env`.
fn chinwag(here: &Here, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chinwag"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", &here.url)
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_of_bad_lines_by_its_exit_status() {
    let here = Here::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Old Chat.jsonl.gz");
    let file = file.to_str().unwrap();
    let good = says(1, "alice", "a").to_string();

    std::fs::write(file, gzip(&format!("{good}\n"))).unwrap();
    let run = chinwag(&here, &["import", file]).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(here.ask("SELECT username FROM users").await, ["alice~old-chat"]);

    std::fs::write(file, gzip(&format!("{good}\nnonsense\n"))).unwrap();
    let run = chinwag(&here, &["import", file]).output().unwrap();
    assert_eq!(run.status.code(), Some(2), "{run:?}");
    assert!(String::from_utf8_lossy(&run.stderr).contains("line 2: not a JSON object"), "{run:?}");

    let run = chinwag(&here, &["import", "/nowhere/at.all"]).output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{run:?}");

    // From a pipe there is no name to take.
    let piped = |source: &[&str]| {
        let mut child = chinwag(&here, &[&["import", "-"], source].concat()).stdin(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(good.as_bytes());
        child.wait().unwrap().code()
    };
    assert_eq!(piped(&[]), Some(1));
    assert_eq!(piped(&["--source", "piped"]), Some(0));
    assert_eq!(here.ask("SELECT username FROM users ORDER BY 1").await, ["alice~old-chat", "alice~piped"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_import_is_finished_by_the_next() {
    let (here, whole) = (Here::new().await, Here::new().await);
    let lines = long_story(30_000);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("irc.jsonl");
    std::fs::write(&file, text(&lines)).unwrap();
    let arguments = ["import", file.to_str().unwrap()];
    let mut killed = chinwag(&here, &arguments).spawn().unwrap();
    while here.ask("SELECT count(*) FROM import_lines").await == ["0"] {
        assert_eq!(killed.try_wait().unwrap(), None, "it is still at work");
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    // Its last transaction may still be ending.
    here.assert_consistent().await;
    let status = chinwag(&here, &arguments).status().unwrap();
    assert_eq!(status.code(), Some(0));
    here.assert_consistent().await;
    whole.import(&lines).await;
    assert_eq!(here.story().await, whole.story().await);
}
