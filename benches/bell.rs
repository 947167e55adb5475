//! What it costs those who send that somebody is told: the same senders, by turns, naming people who are told of it and
//! people who want to hear nothing; and in channels with and without somebody who wants to hear everything. At the rule's
//! door. What it costs where nobody is told is part of `send`.

use chinwag::id::UserId;

use crate::common::database::{Cluster, Database};
use crate::common::table::{Aim, row};
use crate::common::turns::{TURN, Took, by_turns, of, turn};
use crate::send::{CONTENT, SENDERS, Sender, senders};

/// Of so many messages one names somebody.
const NAMES: u32 = 10;

pub async fn run(cluster: &Cluster) {
    let database = cluster.database("bell").await;
    let (mut ours, channels) = senders(&database).await;
    let mut others = ours.clone();
    let (told, silent) = levels(&database, &ours, &channels).await;
    let (loud, quiet) = channels.split_at(channels.len() / 2);
    let rounds = by_turns(
        async || turn(&mut ours, TURN, async |sender| sender.say(quiet, &naming(&told)).await).await,
        async || turn(&mut others, TURN, async |sender| sender.say(quiet, &naming(&silent)).await).await,
    )
    .await;
    let what = format!("{SENDERS} senders, each {NAMES}th message rings for one, beside nobody");
    row(&what, "sends/s", of(&rounds, Took::per_second), Aim::AtLeast(0.9));
    let rounds = by_turns(
        async || turn(&mut ours, TURN, async |sender| sender.send(loud).await).await,
        async || turn(&mut others, TURN, async |sender| sender.send(quiet).await).await,
    )
    .await;
    let what = format!("{SENDERS} senders, every message rings for one, beside nobody");
    row(&what, "sends/s", of(&rounds, Took::per_second), Aim::Nothing);
}

/// Half of the people want to hear nothing; and in half of the channels one of the others wants to hear everything. Those
/// who are told when they are named, and those who are not.
async fn levels(database: &Database, senders: &[Sender], channels: &[String]) -> (Vec<UserId>, Vec<UserId>) {
    let people: Vec<UserId> = senders.iter().map(Sender::user_id).collect();
    let (told, silent) = people.split_at(people.len() / 2);
    let of = |people: &[UserId]| people.iter().map(|id| id.0.to_string()).collect::<Vec<_>>();
    let decoded = channels[..channels.len() / 2].iter().filter_map(|id| chinwag::id::decode(id));
    let loud: Vec<String> = decoded.map(|(_, id)| id.to_string()).collect();
    let client = database.connect().await;
    let level = "UPDATE conversation_members SET notification_level = $1 \
        WHERE user_id = ANY ($2::text[]::uuid[]) AND ($3 OR conversation_id = ANY ($4::text[]::uuid[]))";
    client.execute(level, &[&"NONE", &of(silent), &true, &loud]).await.expect("levels");
    client.execute(level, &[&"ALL", &of(&told[..1]), &false, &loud]).await.expect("levels");
    database.settle().await;
    (told.to_vec(), silent.to_vec())
}

/// What somebody says, who names one of these people now and then.
fn naming(people: &[UserId]) -> String {
    match rand::random_range(0..NAMES) {
        0 => format!("{CONTENT} <@{}>", people[rand::random_range(0..people.len())]),
        _ => CONTENT.to_owned(),
    }
}
