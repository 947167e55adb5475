//! Who may have to be told.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use crate::accounts::preferences::NotificationLevel;
use crate::clock::Instant;
use crate::db::{Conn, Statement};
use crate::id::{ConversationId, MessageId, UserId};
use crate::notifications::Kind;
use crate::schema::notifications;

/// Somebody who may have to be told of one of several letters, as they are at this moment.
#[derive(Clone, Debug, Queryable)]
pub struct Fact {
    /// Which of the letters.
    pub letter: i32,
    pub user_id: UserId,
    pub is_member: bool,
    pub level: NotificationLevel,
    pub muted_until: Option<Instant>,
    /// In the thread, of a reply in one.
    pub has_read: i32,
    pub is_quoted: bool,
    pub follows: bool,
    pub is_in_block: bool,
    pub words: Vec<String>,
    /// Whether they have devices, and want pushes.
    pub is_reached: bool,
    /// Of the author: whether something about the place is unread.
    pub has_unread: bool,
    /// Whether everybody among whom they were looked for is called.
    pub is_called: bool,
}

/// What has happened, or is about to.
pub(in crate::notifications) struct Ask {
    pub conversation_id: Option<ConversationId>,
    pub author_id: UserId,
    pub root: Option<MessageId>,
    pub quoted: Option<MessageId>,
    pub is_direct: bool,
    pub named: Vec<UserId>,
}

/// Whom to look for, beside those who are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::notifications) enum Among {
    Nobody,
    /// Those whom a message may concern. Its author too, where they have something unread about the place.
    Concerned,
    /// All members.
    Members,
    /// The members among these.
    MembersOf(Vec<UserId>),
}

/// How each part of the candidates begins: a letter's own columns, and a person.
const PART: &str = "SELECT c.n, c.conversation_id, c.author_id, c.root_seq, c.quoted_id, ";

/// Those who are named.
const NAMED: &str =
    "named.id FROM ask AS c CROSS JOIN LATERAL unnest(string_to_array(c.names, ',')::uuid[]) AS named (id)";
const MEMBERS: &str =
    "m.user_id FROM ask AS c JOIN conversation_members AS m USING (conversation_id) WHERE m.left_at IS NULL";
/// Those who want to hear everything, by an index of nobody else.
const LOUD: &str = "m.user_id FROM ask AS c JOIN conversation_members AS m USING (conversation_id) \
    WHERE m.level_in_force = 'ALL' AND m.left_at IS NULL";
/// Authors who have something unread about the place.
const BEHIND: &str = "c.author_id FROM ask AS c WHERE EXISTS (SELECT FROM notifications AS n WHERE n.user_id = c.author_id \
    AND n.conversation_id = c.conversation_id AND n.read_at IS NULL AND n.deleted_at IS NULL)";
const ADDRESSED: &str = "m.user_id FROM ask AS c JOIN conversation_members AS m USING (conversation_id) \
    WHERE c.is_direct AND m.left_at IS NULL";
const QUOTED: &str = "c.quoted_id FROM ask AS c WHERE c.quoted_id IS NOT NULL";
const FOLLOWING: &str = "f.user_id FROM ask AS c JOIN thread_followers AS f \
    ON f.conversation_id = c.conversation_id AND f.root_seq = c.root_seq WHERE f.is_following";

/// The columns of `Fact`.
type FactColumns =
    (Integer, SqlUuid, Bool, Text, Nullable<Timestamptz>, Integer, Bool, Bool, Bool, Array<Text>, Bool, Bool, Bool);

/// Those who may have to be told, each once for a letter. What none of the letters asks for is left out of the statement:
/// of the usual one, messages in channels, no more is left than two looks into small indexes.
pub(in crate::notifications) async fn facts(mut conn: &Conn, asks: &[Ask], among: Among) -> QueryResult<Vec<Fact>> {
    let names = |ask: &Ask| ask.named.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(",");
    let has_roots = asks.iter().any(|ask| ask.root.is_some());
    let has_quotes = asks.iter().any(|ask| ask.quoted.is_some());
    let given = |is_given: bool, sql: &'static str, otherwise: &'static str| if is_given { sql } else { otherwise };
    let mut query = Statement::<FactColumns>::new("WITH ask AS MATERIALIZED (SELECT a.*, ")
        .sql(given(has_roots, "r.seq", "NULL::integer"))
        .sql(" AS root_seq, ")
        .sql(given(has_quotes, "q.author_id", "NULL::uuid"))
        .sql(" AS quoted_id FROM unnest(")
        .value::<Array<Nullable<SqlUuid>>, _>(asks.iter().map(|ask| ask.conversation_id).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<SqlUuid>, _>(asks.iter().map(|ask| ask.author_id).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Nullable<SqlUuid>>, _>(asks.iter().map(|ask| ask.root).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Nullable<SqlUuid>>, _>(asks.iter().map(|ask| ask.quoted).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Bool>, _>(asks.iter().map(|ask| ask.is_direct).collect::<Vec<_>>())
        .sql(", ")
        .value::<Array<Text>, _>(asks.iter().map(names).collect::<Vec<_>>())
        .sql(") WITH ORDINALITY AS a (conversation_id, author_id, root, quoted, is_direct, names, n)")
        .sql(given(
            has_roots,
            " LEFT JOIN messages AS r ON r.id = a.root AND r.conversation_id = a.conversation_id",
            "",
        ))
        .sql(given(
            has_quotes,
            " LEFT JOIN messages AS q ON q.id = a.quoted AND q.conversation_id = a.conversation_id",
            "",
        ))
        .sql("), candidate (n, conversation_id, author_id, root_seq, quoted_id, user_id) AS (");
    let concerned = among == Among::Concerned;
    let parts = [
        (!concerned || asks.iter().any(|ask| !ask.named.is_empty()), NAMED),
        (concerned, LOUD),
        (concerned, BEHIND),
        (concerned && asks.iter().any(|ask| ask.is_direct), ADDRESSED),
        (concerned && has_quotes, QUOTED),
        (concerned && has_roots, FOLLOWING),
        (matches!(among, Among::Members | Among::MembersOf(_)), MEMBERS),
    ];
    let mut union = "";
    for (_, part) in parts.into_iter().filter(|(is_asked_for, _)| *is_asked_for) {
        query = query.sql(std::mem::replace(&mut union, " UNION ")).sql(PART).sql(part);
    }
    if let Among::MembersOf(people) = among {
        query = query.sql(" AND m.user_id = ANY (").value::<Array<SqlUuid>, _>(people).sql(")");
    }
    query
        .sql(
            ") SELECT c.n::integer - 1, c.user_id, m.user_id IS NOT NULL, \
             coalesce(m.level_in_force, p.default_level, 'MENTIONS'), m.muted_until, \
             CASE WHEN c.root_seq IS NULL THEN coalesce(m.last_read_seq, 0) \
                 ELSE greatest(m.joined_seq, f.last_read_seq, 0) END, \
             coalesce(c.quoted_id = c.user_id, false), coalesce(f.is_following, false), \
             EXISTS (SELECT FROM blocks WHERE blocker_id = c.user_id AND blocked_id = c.author_id) \
                 OR EXISTS (SELECT FROM blocks WHERE blocker_id = c.author_id AND blocked_id = c.user_id), \
             coalesce(p.urgent_words, '{}'), \
             coalesce(p.is_push_enabled, true) AND EXISTS (SELECT FROM push_devices AS d WHERE d.user_id = c.user_id), \
             c.user_id = c.author_id AND EXISTS (SELECT FROM notifications AS n WHERE n.user_id = c.author_id \
                 AND n.conversation_id = c.conversation_id AND n.read_at IS NULL AND n.deleted_at IS NULL), \
             false FROM candidate AS c \
             LEFT JOIN conversation_members AS m \
                 ON m.conversation_id = c.conversation_id AND m.user_id = c.user_id AND m.left_at IS NULL \
             LEFT JOIN preferences AS p ON p.user_id = c.user_id \
             LEFT JOIN thread_followers AS f \
                 ON f.conversation_id = c.conversation_id AND f.root_seq = c.root_seq AND f.user_id = c.user_id",
        )
        .load(&mut conn)
        .await
}

/// Of these people, those who have been told of a message, whatever has become of it; of somebody's reactions to it, if
/// that is asked for.
pub(in crate::notifications) async fn told_of(
    conn: &mut Conn,
    (id, seq): (ConversationId, i32),
    reactions_of: Option<UserId>,
    people: &[UserId],
) -> QueryResult<Vec<UserId>> {
    use notifications as n;
    let about = n::table
        .filter(n::conversation_id.eq(id).and(n::message_seq.eq(seq)))
        .filter(n::user_id.eq_any(people))
        .select(n::user_id);
    match reactions_of {
        Some(actor) => about.filter(n::kind.eq(Kind::Reaction).and(n::actor_id.eq(actor))).load(conn).await,
        None => about.filter(n::kind.ne(Kind::Reaction)).load(conn).await,
    }
}
