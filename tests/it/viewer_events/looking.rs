//! Looking at the tables, where something may have been missed.

use std::sync::Arc;

use chinwag::db::Xid;
use chinwag::id::{ConversationId, SessionId, UserId};
use chinwag::realtime::Subject;
use chinwag::realtime::viewers::{Found, Moment, News, Viewers};
use chinwag::viewer::Viewer;

use super::client::Client;
use super::mark_read;
use crate::harness::TestServer;

#[tokio::test]
async fn who_reads_much_at_once_has_nobody_look_at_the_tables() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let two = alice.direct_with(&[&bob]).await;
    for number in 0..90 {
        alice.say(&two, &number.to_string()).await;
    }
    let mut client = Client::start(&bob).await;
    client.catch_up().await;
    let read = async {
        mark_read(&bob, &two).await;
        client.converge(&bob).await;
    };
    let (statements, ()) = server.statements(read).await;
    assert!(client.heard.iter().any(|kind| kind == "NotificationsChangedEvent"), "{:?}", client.heard);
    let looks = statements.iter().filter(|sql| sql.starts_with("WITH ask "));
    assert_eq!(looks.count(), 0);
}

#[tokio::test]
async fn who_has_to_look_again_and_again_hears_all_the_same() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Room", &[&bob]).await;
    // Whoever hears what they do not understand has to look.
    let noise = async {
        loop {
            server.database.rows("SELECT pg_notify('chinwag', 'of another version')").await;
        }
    };
    let hear = async {
        let mut client = Client::start(&bob).await;
        client.catch_up().await;
        alice.say(&channel, "Hi").await;
        client.converge(&bob).await;
        client
    };
    let mut client = tokio::select! {
        () = noise => unreachable!(),
        client = hear => client,
    };
    // When it is over, all goes on as before.
    alice.say(&channel, "And now?").await;
    client.converge(&bob).await;
}

#[test]
fn what_comes_while_somebody_is_looked_for_has_them_looked_for_again() {
    let viewers = Viewers::default();
    let (user_id, room) = (UserId(uuid::Uuid::from_u128(1)), ConversationId(uuid::Uuid::from_u128(2)));
    let viewer = Viewer { user_id, session_id: SessionId(uuid::Uuid::from_u128(3)) };
    let _listening = viewers.listen(viewer, None, Arc::new(|_, _| unreachable!("nothing is to be said")));
    viewers.seat(viewers.unseated(), [(user_id, Subject::Conversation(room))]);
    let [look] = viewers.looks()[..] else { panic!("newcomers are looked for") };
    // Committed after the tables were read.
    let at = chinwag::clock::Instant::default();
    viewers.hear(News { since: Xid(7), at, changed: vec![Subject::Rung(room)], marks: Vec::new() });
    let moment = Moment { origin: 1, xmin: Xid(5), xmax: Xid(5), at };
    viewers.looked(look, moment, Found::Rows(Vec::new()));
    let [look] = viewers.looks()[..] else { panic!("what was rung is looked for") };
    viewers.looked(look, Moment { xmin: Xid(8), xmax: Xid(8), ..moment }, Found::Rows(Vec::new()));
    assert_eq!(viewers.looks().len(), 0);
}
