//! Ringing: telling those who are to know of something, as part of the transaction that did it.
//!
//! Whatever happens to few is told by `tell`. Messages are sent many at once, on the busiest path there is, so they take
//! three steps: `look` travels with the lock of the conversations, and mostly finds nobody; `ring` judges without a
//! database; and what there is to write is written together with the messages (`Bell`).

use std::collections::{BTreeSet, HashMap};

use super::deliver::Gone;
use super::store::{self, Among, Ask, Fact, HasRead, New};
use super::told::{Candidate, Happening, told};
use super::{Kind, push};
use crate::accounts::Alarm;
use crate::app::App;
use crate::clock::Instant;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{ConversationId, GroupId, MessageId, NotificationId, UserId};
use crate::realtime::{Mark, PresenceStatus, Subject};
use crate::urgency::{Occasion, Text};

/// Rows of one transaction that are marked one by one, for those who listen. Of more than that, the members of their
/// conversations look at the tables.
const MARKED: usize = 50;

/// A message that may be sent, for which it is looked who may have to be told.
pub struct Letter<'a> {
    pub conversation_id: ConversationId,
    pub author_id: UserId,
    pub is_direct: bool,
    /// The message whose thread it is in.
    pub root: Option<MessageId>,
    pub quoted: Option<MessageId>,
    pub named: &'a [UserId],
}

/// Those who may have to be told, by the place of the letter.
#[derive(Default)]
pub struct Looked(Vec<HashMap<UserId, Fact>>);

/// A message that was sent.
pub struct Said<'a> {
    /// The place of its letter.
    pub letter: usize,
    pub seq: i32,
    pub thread_root_seq: Option<i32>,
    pub content: &'a str,
    pub at: Instant,
    /// Those whom it mentions by name, and may.
    pub named: Vec<UserId>,
    pub calls: Option<Call>,
}

/// Everyone is mentioned at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Everyone,
    /// Who is here, on this server.
    Here,
}

/// What was done to somebody.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    happening: Happening,
    actor_id: UserId,
    conversation_id: Option<ConversationId>,
    seq: Option<i32>,
    message_seq: Option<i32>,
    thread_root_seq: Option<i32>,
    group_id: Option<GroupId>,
    detail: Option<&'a str>,
    at: Instant,
}

impl<'a> Cause<'a> {
    /// Something in a conversation, at a position of its log.
    pub fn in_conversation(happening: Happening, actor_id: UserId, id: ConversationId, seq: i32, at: Instant) -> Self {
        Self { conversation_id: Some(id), seq: Some(seq), ..Self::nowhere(happening, actor_id, at) }
    }

    /// Something in a group.
    pub fn in_group(happening: Happening, actor_id: UserId, id: GroupId, at: Instant) -> Self {
        Self { group_id: Some(id), ..Self::nowhere(happening, actor_id, at) }
    }

    /// About a message, which may be in a thread.
    pub fn about(self, message_seq: i32, thread_root_seq: Option<i32>) -> Self {
        Self { message_seq: Some(message_seq), thread_root_seq, ..self }
    }

    /// With the emoji of a reaction, or the role of a change of it.
    pub fn with(self, detail: &'a str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    fn nowhere(happening: Happening, actor_id: UserId, at: Instant) -> Self {
        Self {
            happening,
            actor_id,
            conversation_id: None,
            seq: None,
            message_seq: None,
            thread_root_seq: None,
            group_id: None,
            detail: None,
            at,
        }
    }
}

/// What is to be written, and then told.
#[derive(Default)]
pub struct Bell {
    rung: Vec<Rung>,
    /// Whoever writes has read, where they had something unread.
    read: Vec<HasRead>,
}

struct Rung {
    row: New,
    is_member: bool,
    /// Whether they have devices, and want pushes.
    is_reached: bool,
}

/// Who may have to be told of these letters, in one statement.
pub async fn look(tx: &Tx, letters: &[Letter<'_>]) -> Result<Looked> {
    let asks: Vec<Ask> = letters.iter().map(Letter::ask).collect();
    let mut looked = Looked(vec![HashMap::new(); letters.len()]);
    for fact in store::facts(tx, &asks, Among::Concerned).await? {
        looked.0[fact.letter as usize].insert(fact.user_id, fact);
    }
    Ok(looked)
}

/// What these messages ring. Those who are called all at once are looked for here, where it is known that they may be:
/// their number is not bounded, so nobody else has them looked for.
pub async fn ring(app: &App, tx: &Tx, letters: &[Letter<'_>], said: &[Said<'_>], mut looked: Looked) -> Result<Bell> {
    for call in [Call::Everyone, Call::Here] {
        let calling: Vec<usize> = said.iter().filter(|said| said.calls == Some(call)).map(|said| said.letter).collect();
        if calling.is_empty() {
            continue;
        }
        let asks: Vec<Ask> = calling.iter().map(|&letter| letters[letter].ask()).collect();
        let among = match call {
            Call::Everyone => Among::Members,
            Call::Here => Among::MembersOf(app.realtime.presences.present().into_iter().map(|(id, _)| id).collect()),
        };
        for fact in store::facts(tx, &asks, among).await? {
            let letter = calling[fact.letter as usize];
            looked.0[letter].insert(fact.user_id, Fact { is_called: true, ..fact });
        }
    }
    Ok(judge(app, letters, said, &looked))
}

impl Letter<'_> {
    fn ask(&self) -> Ask {
        Ask {
            conversation_id: Some(self.conversation_id),
            author_id: self.author_id,
            root: self.root,
            quoted: self.quoted,
            is_direct: self.is_direct,
            named: self.named.to_vec(),
        }
    }
}

fn judge(app: &App, letters: &[Letter<'_>], said: &[Said<'_>], looked: &Looked) -> Bell {
    // Who wrote last, and where, has read all before it: also what is written together with it.
    let mut read = HashMap::new();
    for said in said {
        let letter = &letters[said.letter];
        read.insert((letter.conversation_id, said.thread_root_seq, letter.author_id), said.seq);
    }
    let mut bell = Bell::default();
    for said in said {
        let (letter, text) = (&letters[said.letter], Text::new(said.content));
        for fact in looked.0[said.letter].values() {
            let place = (letter.conversation_id, said.thread_root_seq, fact.user_id);
            let has_written = read.get(&place).copied().unwrap_or_default();
            let who = Candidate {
                is_actor: fact.user_id == letter.author_id,
                has_read: fact.has_read.max(has_written),
                is_named: said.named.contains(&fact.user_id),
                ..candidate(app, fact, Some(letter.conversation_id), said.at)
            };
            let happening = Happening::Said {
                seq: said.seq,
                is_in_thread: said.thread_root_seq.is_some(),
                is_direct: letter.is_direct,
            };
            let Some(kind) = told(happening, &who) else { continue };
            let occasion = Occasion {
                calls_everyone: who.is_called,
                is_direct: letter.is_direct,
                names_them: who.is_named,
                text: &text,
                words: &fact.words,
            };
            let row = New {
                user_id: fact.user_id,
                id: NotificationId::at(said.at),
                kind,
                is_urgent: app.urgency.is_urgent(&occasion),
                actor_id: Some(letter.author_id),
                conversation_id: Some(letter.conversation_id),
                seq: Some(said.seq),
                message_seq: Some(said.seq),
                thread_root_seq: said.thread_root_seq,
                group_id: None,
                detail: None,
                created_at: said.at,
            };
            bell.rung.push(Rung { row, is_member: fact.is_member, is_reached: fact.is_reached });
        }
        if looked.0[said.letter].get(&letter.author_id).is_some_and(|author| author.has_unread) {
            bell.read.push(HasRead {
                user_id: letter.author_id,
                conversation_id: letter.conversation_id,
                thread_root_seq: said.thread_root_seq,
                seq: said.seq,
            });
        }
    }
    bell
}

/// What is known of somebody, apart from what they have to do with this one message.
fn candidate(app: &App, fact: &Fact, id: Option<ConversationId>, now: Instant) -> Candidate {
    Candidate {
        user_id: fact.user_id,
        is_actor: false,
        is_in_block: fact.is_in_block,
        is_member: fact.is_member,
        level: fact.level,
        is_muted: fact.muted_until.is_some_and(|until| until > now),
        has_read: fact.has_read,
        is_looking: id.is_some_and(|id| is_looking(app, id, fact.user_id)),
        is_named: false,
        is_called: fact.is_called,
        is_quoted: fact.is_quoted,
        follows: fact.follows,
    }
}

/// Whether they have it open, and have not said that they are elsewhere.
fn is_looking(app: &App, id: ConversationId, user_id: UserId) -> bool {
    let is_away = || app.realtime.presences.status(user_id) == PresenceStatus::Away;
    app.realtime.onlookers.has_open(id, user_id) && !is_away()
}

impl Bell {
    /// Tells somebody what was done to their account, whoever did it, and in quiet hours too.
    pub(super) async fn of_alarm(tx: &Tx, alarm: &Alarm) -> Result<Self> {
        let user_id = alarm.user_id;
        let ask = Ask {
            conversation_id: None,
            author_id: user_id,
            root: None,
            quoted: None,
            is_direct: false,
            named: vec![user_id],
        };
        let facts = store::facts(tx, &[ask], Among::Nobody).await?;
        let row = New {
            user_id,
            id: alarm.notification_id,
            kind: Kind::Security,
            is_urgent: true,
            actor_id: None,
            conversation_id: None,
            seq: None,
            message_seq: None,
            thread_root_seq: None,
            group_id: None,
            detail: Some(alarm.incident.name().to_owned()),
            created_at: alarm.at,
        };
        let is_reached = facts.iter().any(|fact| fact.is_reached);
        Ok(Self { rung: vec![Rung { row, is_member: false, is_reached }], read: Vec::new() })
    }

    /// Writes it; may travel with what else is written. Says what was read.
    pub async fn write(&self, tx: &Tx, now: Instant) -> Result<Gone> {
        // One after the other: what rings now is read by nobody.
        let read = store::read_up_to(tx, &self.read, now).await?;
        let rows: Vec<&New> = self.rung.iter().map(|rung| &rung.row).collect();
        store::insert(tx, &rows).await?;
        Gone::of(tx, read).await
    }

    /// Tells of what was written, once it is committed: those who listen, and devices.
    pub fn tell(&self, tx: &mut Tx, read: Gone) {
        let is_one_by_one = self.rung.len() <= MARKED;
        for Rung { row, is_member, .. } in &self.rung {
            match row.conversation_id.filter(|_| *is_member && !is_one_by_one) {
                Some(id) => tx.outbox().changed.push(Subject::Rung(id)),
                None => tx.outbox().marks.push((row.user_id, Mark::Changed(Subject::Notification(row.id)))),
            }
        }
        read.tell(tx);
        let reached: BTreeSet<UserId> =
            self.rung.iter().filter(|rung| rung.is_reached).map(|rung| rung.row.user_id).collect();
        push::tell_later(tx, reached.into_iter().collect());
    }
}

/// Tells these people of what was done to them.
pub async fn tell(app: &App, tx: &mut Tx, cause: Cause<'_>, people: &[UserId]) -> Result<()> {
    let others: Vec<UserId> = people.iter().copied().filter(|user| *user != cause.actor_id).collect();
    if others.is_empty() {
        return Ok(());
    }
    let ask = Ask {
        conversation_id: cause.conversation_id,
        author_id: cause.actor_id,
        root: None,
        quoted: None,
        is_direct: false,
        named: others,
    };
    let facts = store::facts(tx, &[ask], Among::Nobody).await?;
    let mut bell = Bell::default();
    for fact in facts {
        let who = candidate(app, &fact, cause.conversation_id, cause.at);
        let Some(kind) = told(cause.happening, &who) else { continue };
        let row = New {
            user_id: fact.user_id,
            id: NotificationId::at(cause.at),
            kind,
            is_urgent: false,
            actor_id: Some(cause.actor_id),
            conversation_id: cause.conversation_id,
            seq: cause.seq,
            message_seq: cause.message_seq,
            thread_root_seq: cause.thread_root_seq,
            group_id: cause.group_id,
            detail: cause.detail.map(str::to_owned),
            created_at: cause.at,
        };
        bell.rung.push(Rung { row, is_member: fact.is_member, is_reached: fact.is_reached });
    }
    let read = bell.write(tx, cause.at).await?;
    bell.tell(tx, read);
    Ok(())
}

/// What a message rings that was sent before: for those whom its letter names, and nobody else.
pub async fn ring_again(app: &App, tx: &mut Tx, letter: Letter<'_>, said: Said<'_>) -> Result<()> {
    let (letters, at) = ([letter], said.at);
    let facts = store::facts(tx, &[letters[0].ask()], Among::Nobody).await?;
    let looked = Looked(vec![facts.into_iter().map(|fact| (fact.user_id, fact)).collect()]);
    let bell = judge(app, &letters, &[said], &looked);
    let read = bell.write(tx, at).await?;
    bell.tell(tx, read);
    Ok(())
}

/// Of these people, those who were told of a message before, whatever they did with it since.
pub async fn told_before(tx: &mut Tx, id: ConversationId, seq: i32, people: &[UserId]) -> Result<Vec<UserId>> {
    Ok(store::told_of(tx, (id, seq), None, people).await?)
}

/// Whether somebody was told before of a reaction by this one to a message of theirs: once is enough, however many they
/// take back and try again.
pub async fn told_of_reaction(
    tx: &mut Tx,
    (id, seq): (ConversationId, i32),
    author: UserId,
    by: UserId,
) -> Result<bool> {
    Ok(!store::told_of(tx, (id, seq), Some(by), &[author]).await?.is_empty())
}
