//! Who stands where.

use diesel::QueryResult;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::may::Standing;
use super::super::sight::{Place, Sight, judge};
use super::super::{Departure, Kind, MemberRole, Visibility};
use crate::clock::Instant;
use crate::db::Conn;
use crate::id::{ConversationId, MemberId, UserId};
use crate::schema::{channels, conversation_members, conversations, users};
use crate::users::ServerRole;

/// Where one of these people stands in one of these conversations, if they see it.
#[derive(Queryable)]
struct StandingRow {
    kind: Kind,
    id: ConversationId,
    last_seq: i32,
    archived_at: Option<Instant>,
    channel: Option<(Visibility, MemberRole)>,
    seat: Option<(MemberId, MemberRole, Option<Departure>)>,
    server_role: ServerRole,
}

impl StandingRow {
    fn judge(self) -> Option<(Sight, Standing)> {
        let sight = judge(&Place {
            kind: self.kind,
            id: self.id,
            last_seq: self.last_seq,
            visibility: self.channel.map(|(visibility, _)| visibility),
            seat: self.seat.map(|(id, _, departure)| (id, departure)),
        })?;
        let standing = Standing {
            kind: self.kind,
            visibility: self.channel.map_or(Visibility::Private, |(visibility, _)| visibility),
            posting_role: self.channel.map_or(MemberRole::Guest, |(_, posting_role)| posting_role),
            is_archived: self.archived_at.is_some(),
            seat_role: self.seat.filter(|(_, _, departure)| departure.is_none()).map(|(_, role, _)| role),
            group_role: None,
            server_role: self.server_role,
            sanction: None,
            is_blocked: false,
        };
        Some((sight, standing))
    }
}

/// Whoever of these people sees which of these conversations, and where they stand there.
pub async fn standings(
    conn: &mut Conn,
    people: &[UserId],
    ids: &[ConversationId],
) -> QueryResult<Vec<(UserId, Sight, Standing)>> {
    use conversation_members as m;
    let mut standings = Vec::new();
    for &person in people {
        let rows: Vec<StandingRow> = conversations::table
            .left_join(channels::table)
            .left_join(m::table.on(m::conversation_id.eq(conversations::id).and(m::user_id.eq(person))))
            .inner_join(users::table.on(users::id.eq(person)))
            .filter(conversations::id.eq_any(ids))
            .select((
                conversations::kind,
                conversations::id,
                conversations::last_seq,
                conversations::archived_at,
                (channels::visibility, channels::posting_role).nullable(),
                (m::id, m::role, m::departure).nullable(),
                users::role,
            ))
            .load(conn)
            .await?;
        let seen = rows.into_iter().filter_map(StandingRow::judge);
        standings.extend(seen.map(|(sight, standing)| (person, sight, standing)));
    }
    Ok(standings)
}
