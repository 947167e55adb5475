//! Catching up with many conversations at once, for clients that keep them.

use futures_util::future::try_join_all;

use super::{Reference, Sight, in_sight};
use crate::context::Scope;
use crate::error::{Error, InputCode, Result};
use crate::log::{self, Batch};
use crate::page::MOST;
use crate::text::Fault;
use crate::viewer::Viewer;

/// From where on which conversations are wanted, checked.
#[derive(Debug)]
pub struct CatchUpDraft {
    positions: Vec<(Reference, i32)>,
    first: i32,
}

impl CatchUpDraft {
    /// Each position is an id and how far its log is known.
    pub fn from(positions: &[(&str, i32)], first: i32) -> Result<Self> {
        let mut wrong = Vec::new();
        if positions.len() > MOST {
            wrong.push(Fault::too_many(MOST).of_argument("positions"));
        }
        if !(0..=MOST as i32).contains(&first) {
            wrong.push(Fault::out_of_range(0, MOST).of_argument("firstPerConversation"));
        }
        let mut known: Vec<(Reference, i32)> = Vec::new();
        for (index, (id, after)) in positions.iter().enumerate().take(MOST) {
            match Reference::parse(id) {
                Some(reference) if known.iter().all(|(other, _)| *other != reference) => {
                    known.push((reference, *after))
                }
                Some(_) => {
                    let twice = Fault::new(InputCode::Duplicate, "It stands there twice");
                    wrong.push(twice.of_argument("positions").at(index));
                }
                None => wrong.push(Fault::not_an_id().of_argument("positions").at(index)),
            }
        }
        match wrong.is_empty() {
            true => Ok(Self { positions: known, first }),
            false => Err(Error::bad_input(wrong)),
        }
    }
}

/// The next events of each, in the order that was asked; of those out of sight nothing. By as many statements for all as
/// for one.
pub async fn catch_up(scope: &Scope, viewer: &Viewer, draft: CatchUpDraft) -> Result<Vec<(Sight, Batch)>> {
    let sights = draft.positions.iter().map(|(reference, _)| in_sight(scope, viewer, *reference));
    let sights = try_join_all(sights).await?.into_iter().zip(&draft.positions);
    let (sights, positions): (Vec<Sight>, Vec<_>) =
        sights.filter_map(|(sight, (reference, after))| Some((sight?, (reference.id, *after)))).unzip();
    let batches = log::read_each(&scope.app().db, &positions, draft.first.into()).await?;
    Ok(sights.into_iter().zip(batches).collect())
}
