//! Who is told of what happened, and as what: one function, so that it can be read, and tested, without a database.

use super::Kind;
use crate::accounts::preferences::NotificationLevel;
use crate::id::UserId;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A message was sent, or edited to name more people.
    Said { seq: i32, is_in_thread: bool, is_direct: bool },
    /// Somebody reacted to a message of theirs.
    Reacted { is_in_thread: bool },
    /// They were added.
    Added,
    /// They have another role.
    RoleChanged,
}

/// Somebody who may have to be told, as far as it decides whether they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub user_id: UserId,
    /// Whether they did it themselves.
    pub is_actor: bool,
    /// Whether the two stand in a block, whoever of them has blocked.
    pub is_in_block: bool,
    pub is_member: bool,
    /// What holds for them here: the conversation's, or their default.
    pub level: NotificationLevel,
    pub is_muted: bool,
    /// How far they have read: in the thread, of what is in one.
    pub has_read: i32,
    /// Whether they have the conversation open before them.
    pub is_looking: bool,
    /// It mentions them by name, and may.
    pub is_named: bool,
    /// It mentions everyone, or everyone who is here and they are.
    pub is_called: bool,
    /// It quotes a message of theirs.
    pub is_quoted: bool,
    /// They follow the thread that it is in.
    pub follows: bool,
}

/// As what somebody is told, if they are: once, for the strongest reason.
///
/// Nobody is told of what they did, or of what somebody did with whom they stand in a block. What is said is silent where
/// they muted it, where the level says so, where they have read it, and while they look at it: they see it. Of what is in a
/// thread they are told all the same while they look: it need not be open.
pub fn told(happening: Happening, who: &Candidate) -> Option<Kind> {
    if who.is_actor || who.is_in_block {
        return None;
    }
    match happening {
        // What becomes of oneself is nothing that is said.
        Happening::Added => Some(Kind::Added),
        Happening::RoleChanged => Some(Kind::RoleChanged),
        Happening::Reacted { is_in_thread } => {
            Some(Kind::Reaction).filter(|_| who.is_member && !is_silent(who, is_in_thread))
        }
        Happening::Said { seq, is_in_thread, is_direct } => match is_silent(who, is_in_thread) || who.has_read >= seq {
            true => None,
            false => reason(who, is_direct),
        },
    }
}

fn is_silent(who: &Candidate, is_in_thread: bool) -> bool {
    who.is_muted || who.level == NotificationLevel::None || who.is_looking && !is_in_thread
}

/// The strongest first. Who is no member is told where they are named, and nowhere else.
fn reason(who: &Candidate, is_direct: bool) -> Option<Kind> {
    let reasons = [
        (who.is_named || who.is_called && who.is_member, Kind::Mention),
        (who.is_quoted && who.is_member, Kind::Reply),
        (who.follows && who.is_member, Kind::ThreadReply),
        (is_direct && who.is_member, Kind::DirectMessage),
        (who.level == NotificationLevel::All && who.is_member, Kind::Message),
    ];
    reasons.into_iter().find(|(holds, _)| *holds).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use NotificationLevel::{All, Mentions, None as Nothing};

    use super::*;

    /// A member who has read all but the last message.
    fn member(change: impl FnOnce(&mut Candidate)) -> Candidate {
        let mut member = Candidate {
            user_id: UserId(uuid::Uuid::nil()),
            is_actor: false,
            is_in_block: false,
            is_member: true,
            level: Mentions,
            is_muted: false,
            has_read: 6,
            is_looking: false,
            is_named: false,
            is_called: false,
            is_quoted: false,
            follows: false,
        };
        change(&mut member);
        member
    }

    const SAID: Happening = Happening::Said { seq: 7, is_in_thread: false, is_direct: false };
    const DIRECT: Happening = Happening::Said { seq: 7, is_in_thread: false, is_direct: true };
    const REPLIED: Happening = Happening::Said { seq: 7, is_in_thread: true, is_direct: false };
    const REACTED: Happening = Happening::Reacted { is_in_thread: false };

    #[test]
    fn everybody_is_told_once_for_the_strongest_reason() {
        for (what, happening, who, expected) in [
            ("nothing of theirs", SAID, member(|_| {}), None),
            ("level ALL", SAID, member(|m| m.level = All), Some(Kind::Message)),
            ("level ALL in a thread", REPLIED, member(|m| m.level = All), Some(Kind::Message)),
            ("direct", DIRECT, member(|_| {}), Some(Kind::DirectMessage)),
            ("direct, level ALL", DIRECT, member(|m| m.level = All), Some(Kind::DirectMessage)),
            ("followed", REPLIED, member(|m| m.follows = true), Some(Kind::ThreadReply)),
            ("followed, direct", DIRECT, member(|m| m.follows = true), Some(Kind::ThreadReply)),
            ("quoted", SAID, member(|m| m.is_quoted = true), Some(Kind::Reply)),
            ("quoted, followed", REPLIED, member(|m| (m.is_quoted, m.follows) = (true, true)), Some(Kind::Reply)),
            ("named", SAID, member(|m| m.is_named = true), Some(Kind::Mention)),
            ("everyone", SAID, member(|m| m.is_called = true), Some(Kind::Mention)),
            (
                "all of it",
                DIRECT,
                member(|m| (m.is_named, m.is_quoted, m.follows, m.level) = (true, true, true, All)),
                Some(Kind::Mention),
            ),
            ("a reaction", REACTED, member(|_| {}), Some(Kind::Reaction)),
            ("added", Happening::Added, member(|_| {}), Some(Kind::Added)),
            ("a role", Happening::RoleChanged, member(|_| {}), Some(Kind::RoleChanged)),
        ] {
            assert_eq!(told(happening, &who), expected, "{what}");
        }
    }

    type Change = fn(&mut Candidate);

    #[test]
    fn what_silences_whom() {
        let named: Change = |m| m.is_named = true;
        let changes: [(&str, Change, [bool; 6]); 9] = [
            // Whether they are told of: a mention, a mention in a thread, a direct message, a reaction, being added, a role.
            ("nothing", |_| {}, [true; 6]),
            ("their own", |m| m.is_actor = true, [false; 6]),
            ("a block", |m| m.is_in_block = true, [false; 6]),
            ("a mute", |m| m.is_muted = true, [false, false, false, false, true, true]),
            ("level NONE", |m| m.level = Nothing, [false, false, false, false, true, true]),
            ("a look", |m| m.is_looking = true, [false, true, false, false, true, true]),
            ("having read it", |m| m.has_read = 7, [false, false, false, true, true, true]),
            ("having read more", |m| m.has_read = 9, [false, false, false, true, true, true]),
            ("being no member", |m| m.is_member = false, [true, true, false, false, true, true]),
        ];
        for (what, change, expected) in changes {
            let who = |before: Change| {
                member(|m| {
                    before(m);
                    change(m);
                })
            };
            let plain: Change = |_| {};
            let found = [
                told(SAID, &who(named)),
                told(REPLIED, &who(named)),
                told(DIRECT, &who(plain)),
                told(REACTED, &who(plain)),
                told(Happening::Added, &who(plain)),
                told(Happening::RoleChanged, &who(plain)),
            ];
            assert_eq!(found.map(|kind| kind.is_some()), expected, "{what}");
        }
    }

    /// Whoever is none sees the conversation at most.
    #[test]
    fn who_is_no_member_is_told_where_they_are_named() {
        let reader = member(|m| {
            (m.is_member, m.level, m.is_called, m.is_quoted, m.follows) = (false, All, true, true, true);
        });
        assert_eq!((told(SAID, &reader), told(DIRECT, &reader), told(REPLIED, &reader)), (None, None, None));
        assert_eq!(told(SAID, &Candidate { is_named: true, ..reader }), Some(Kind::Mention));
    }
}
