//! The people of a direct conversation.

use std::collections::BTreeSet;

use crate::conversations::{Conversation, Kind};
use crate::id::UserId;
use crate::text::Fault;

/// People in one direct conversation at most.
pub const DIRECT_SIZE: usize = 10;

impl Conversation {
    /// Whether its people stay who they are: a direct conversation of one or two.
    pub fn has_fixed_people(&self) -> bool {
        self.kind == Kind::Direct && self.member_count <= 2
    }

    /// How many more people there is room for.
    pub fn room(&self) -> usize {
        match self.kind {
            Kind::Channel => usize::MAX,
            Kind::Direct => DIRECT_SIZE.saturating_sub(self.member_count as usize),
        }
    }
}

/// Those for whom a direct conversation is opened, each once, in whatever order they were named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct People(BTreeSet<UserId>);

impl People {
    /// Somebody and others, unless they are too many.
    pub fn of(user: UserId, others: impl IntoIterator<Item = UserId>) -> Result<Self, Fault> {
        let people: BTreeSet<_> = others.into_iter().chain([user]).collect();
        match people.len() {
            0..=DIRECT_SIZE => Ok(Self(people)),
            _ => Err(Fault::too_many(DIRECT_SIZE - 1)),
        }
    }

    /// Somebody and another one; the same one for those who note something for themselves.
    pub fn pair(user: UserId, other: UserId) -> Self {
        Self(BTreeSet::from([user, other]))
    }

    /// All but one.
    pub fn but(&self, user: UserId) -> Vec<UserId> {
        self.0.iter().copied().filter(|person| *person != user).collect()
    }

    /// What stands for exactly these people.
    pub fn key(&self) -> Vec<u8> {
        self.0.iter().flat_map(|person| person.0.into_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    #[test]
    fn the_same_people_have_the_same_key_and_others_have_another() {
        let (alice, bob, carol) = (user(1), user(2), user(3));
        let key = |user, others: &[UserId]| People::of(user, others.iter().copied()).unwrap().key();
        let trio = key(alice, &[bob, carol]);
        assert!([key(bob, &[carol, alice]), key(carol, &[alice, bob, carol, alice])].iter().all(|key| *key == trio));
        assert_eq!(key(alice, &[]), key(alice, &[alice]));
        assert_eq!(key(alice, &[bob]), People::pair(bob, alice).key());
        let keys = [key(alice, &[]), key(bob, &[]), key(alice, &[bob]), key(alice, &[carol]), trio];
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }

    #[test]
    fn ten_are_enough_for_anybody() {
        let others = |count| (2..).map(user).take(count);
        assert!(People::of(user(1), others(9)).is_ok());
        assert!(People::of(user(1), others(10)).is_err());
        assert!(People::of(user(5), others(10)).is_ok());
    }
}
