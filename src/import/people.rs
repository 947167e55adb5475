//! Who the nicks of a source are.

use std::collections::{HashMap, HashSet};

use super::line::{Line, What};
use super::store::{self, PersonRow};
use crate::app::App;
use crate::clock::Instant;
use crate::db::OnConstraint;
use crate::error::{Code, Result};
use crate::id::UserId;
use crate::users::{self, Unclaimed};

/// Characters of a handle before its number and source, as of any other handle.
const HANDLE: usize = 32;

/// The people of one source. Nicks that differ in anything are different people.
pub(super) struct People {
    source_id: i32,
    source: String,
    by_nick: HashMap<String, UserId>,
    handles: HashSet<String>,
    /// The number last given to a handle, so that the next search does not begin anew.
    numbers: HashMap<String, u32>,
}

impl People {
    pub async fn of(app: &App, source_id: i32, source: &str) -> Result<Self> {
        let known = app.db.read(async move |conn| store::people(conn, source_id).await).await?;
        let mut people = Self {
            source_id,
            source: source.to_owned(),
            by_nick: HashMap::with_capacity(known.len()),
            handles: HashSet::with_capacity(known.len()),
            numbers: HashMap::new(),
        };
        for (nick, id, handle) in known {
            people.by_nick.insert(nick, id);
            people.handles.insert(handle);
        }
        Ok(people)
    }

    pub fn find(&self, nick: &str) -> Option<UserId> {
        self.by_nick.get(nick).copied()
    }

    /// Creates whoever these lines bring in that is not known yet, in order of appearance. Who only leaves was never
    /// there, and is not made up for it.
    pub async fn meet(&mut self, app: &App, lines: &[Line]) -> Result<usize> {
        let mut nicks: Vec<(&str, Instant)> = Vec::new();
        let mut met = HashSet::new();
        for line in lines {
            let nick = match &line.what {
                What::Message { .. } | What::Join => &line.nick,
                What::Rename { to } => to,
                What::Part => continue,
            };
            if !self.by_nick.contains_key(nick) && met.insert(nick) {
                nicks.push((nick, line.at));
            }
        }
        if nicks.is_empty() {
            return Ok(0);
        }
        let handles: Vec<String> = nicks.iter().map(|(nick, _)| self.free_handle(nick)).collect();
        let (source_id, nicks, handles) = (self.source_id, &nicks, &handles);
        let ids = app
            .db
            .transaction(async move |tx| {
                let new = nicks.iter().zip(handles).map(|(&(nick, at), handle)| Unclaimed {
                    username: handle.clone(),
                    display_name: nick.to_owned(),
                    created_at: at,
                });
                let ids = users::create_unclaimed(tx, new.collect()).await.map_err(|error| match error.code() {
                    // Handles of this source are nobody's but its people's.
                    Code::Conflict => super::somebody_else(),
                    _ => error,
                })?;
                let rows = nicks.iter().zip(&ids).map(|(&(nick, _), &user_id)| PersonRow {
                    source_id,
                    nick: nick.to_owned(),
                    user_id,
                });
                let rows: Vec<PersonRow> = rows.collect();
                store::insert_people(tx, &rows).await.on_constraint("import_people_pkey", super::somebody_else)?;
                Ok(ids)
            })
            .await?;
        self.by_nick.extend(nicks.iter().zip(&ids).map(|(&(nick, _), &id)| (nick.to_owned(), id)));
        Ok(ids.len())
    }

    /// `alice~irc`, or `alice-2~irc` where that is somebody else's.
    fn free_handle(&mut self, nick: &str) -> String {
        let name: String = folded(nick).chars().take(HANDLE).collect();
        let number = self.numbers.entry(name.clone()).or_insert(0);
        loop {
            *number += 1;
            let handle = match *number {
                1 => format!("{name}~{}", self.source),
                number => format!("{name}-{number}~{}", self.source),
            };
            if self.handles.insert(handle.clone()) {
                return handle;
            }
        }
    }
}

/// As it may stand in a handle: lower case, and a dash for whatever may not.
pub(super) fn folded(text: &str) -> String {
    let keep = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    text.to_lowercase().chars().map(|c| if keep(c) { c } else { '-' }).collect()
}
