//! Opening: exactly the same people find the same conversation.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use super::{add, id, leave, names, open, people, seen, tables_agree};
use crate::harness::{Actor, TestServer};

#[tokio::test]
async fn two_find_the_one_that_either_of_them_opened() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let opened = open(&alice, &[&bob]).await.data("openDirectConversation");
    assert_eq!(opened["isNew"], true);
    let direct = &opened["conversation"];
    assert!(id(direct).starts_with("dm_"));
    assert_eq!((&direct["kind"], &direct["name"], &direct["memberCount"]), (&json!("DIRECT"), &json!(null), &json!(2)));
    assert_eq!((&direct["title"], &direct["createdBy"]["username"]), (&json!("bob"), &json!("alice")));
    // Whoever opened it came by themselves; nobody is more than a member.
    for member in direct["participants"].as_array().unwrap() {
        let is_alice = member["user"]["username"] == "alice";
        assert_eq!(member["addedBy"], if is_alice { json!(null) } else { json!({ "username": "alice" }) });
        assert_eq!(member["role"], "MEMBER");
    }
    assert_eq!(names(&direct["participants"]), ["alice", "bob"]);
    let before = server.database.contents().await;
    for (who, others) in [(&alice, vec![&bob]), (&bob, vec![&alice]), (&bob, vec![&alice, &bob, &alice])] {
        let again = open(who, &others).await.data("openDirectConversation");
        assert_eq!((&again["isNew"], &again["conversation"]["id"]), (&json!(false), &direct["id"]));
    }
    assert_eq!(server.database.contents().await, before);
    assert_eq!(seen(&bob, id(direct)).await["title"], "alice");
    let hello = alice.say(id(direct), "Hello").await;
    let log = bob.socket().await.follow(id(direct), Some(0)).events_until(hello["seq"].as_i64().unwrap()).await;
    let kinds: Vec<_> = log.iter().map(|event| event["__typename"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["MemberJoinedEvent", "MemberJoinedEvent", "MessageSentEvent"]);
}

#[tokio::test]
async fn a_key_stands_for_all_of_them_and_nobody_else() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    let mut found = BTreeSet::new();
    for (who, others) in [
        (&alice, vec![]),
        (&bob, vec![]),
        (&alice, vec![&bob]),
        (&alice, vec![&carol]),
        (&bob, vec![&carol]),
        (&alice, vec![&bob, &carol]),
    ] {
        let opened = open(who, &others).await.data("openDirectConversation");
        assert_eq!(opened["isNew"], true, "{}", opened["conversation"]);
        assert!(found.insert(id(&opened["conversation"]).to_owned()));
    }
    for (who, others) in [(&bob, vec![&alice, &carol]), (&carol, vec![&bob, &alice]), (&alice, vec![&alice])] {
        let opened = open(who, &others).await.data("openDirectConversation");
        assert!(opened["isNew"] == false && found.contains(id(&opened["conversation"])));
    }
    tables_agree(&server).await;
    // Notes to oneself bear one's own name, and those of three the names of the others.
    assert_eq!(open(&bob, &[]).await.data("openDirectConversation")["conversation"]["title"], "bob");
    let trio = open(&alice, &[&bob, &carol]).await.data("openDirectConversation")["conversation"].clone();
    assert!(["bob, carol", "carol, bob"].contains(&trio["title"].as_str().unwrap()));
}

#[tokio::test]
async fn those_who_open_at_once_open_one() {
    let server = TestServer::start().await;
    let another = server.another().await;
    let all = people(&server, &["alice", "bob", "carol"]).await;
    for count in [1, 2, 3] {
        let all = &all[..count];
        let openers: Vec<Actor> =
            all.iter().flat_map(|person| [person.clone(), person.at(another.address), person.clone()]).collect();
        let with: Vec<&Actor> = all.iter().collect();
        let opened = join_all(openers.iter().map(|person| open(person, &with))).await;
        let opened: Vec<_> = opened.iter().map(|answer| answer.data("openDirectConversation")).collect();
        let ids: BTreeSet<_> = opened.iter().map(|opened| id(&opened["conversation"])).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(opened.iter().filter(|opened| opened["isNew"] == true).count(), 1);
    }
    assert_eq!(server.database.count("SELECT count(*) FROM conversations").await, 3);
    tables_agree(&server).await;
}

/// Whatever the order, what is found was opened for exactly those who asked for it.
#[tokio::test]
async fn whoever_opens_while_somebody_leaves_or_is_added_finds_all_of_them() {
    let server = TestServer::start().await;
    let another = server.another().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    for round in 0..12 {
        let trio = alice.direct_with(&[&bob, &carol]).await;
        let change = async {
            match round % 2 {
                0 => drop(leave(&carol, &trio).await.data("leaveConversation")),
                _ => drop(add(&carol, &trio, &[&dave]).await.data("addConversationMembers")),
            }
        };
        let (here, there, mine) = (alice.clone(), bob.at(another.address), carol.clone());
        let all = [&alice, &bob, &carol];
        let (a, b, c, ()) = tokio::join!(open(&here, &all), open(&there, &all), open(&mine, &all), change);
        for answer in [a, b, c] {
            let direct = &answer.data("openDirectConversation")["conversation"];
            // The old one as it was then, or as it became while the answer was made; or another one.
            assert!(id(direct) == trio || names(&direct["participants"]) == ["alice", "bob", "carol"]);
        }
        let after = open(&alice, &[&bob, &carol]).await.data("openDirectConversation")["conversation"].clone();
        assert_ne!(id(&after), trio, "the old one is gone for ever");
        tables_agree(&server).await;
        // Away with it, so that each round begins anew.
        leave(&bob, id(&after)).await.data("leaveConversation");
    }
}

#[tokio::test]
async fn it_is_opened_for_ten_at_most() {
    let server = TestServer::start().await;
    let all: Vec<String> = (0..11).map(|number| format!("person-{number}")).collect();
    let all = people(&server, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let limits = all[0].query("{ server { limits { directConversationSize } } }").await.data("server");
    assert_eq!(limits["limits"]["directConversationSize"], 10);
    let others: Vec<&Actor> = all[1..].iter().collect();
    let before = server.database.contents().await;
    assert_eq!(open(&all[0], &others).await.wrong_fields(), ["input.userIds TOO_MANY"]);
    assert_eq!(server.database.contents().await, before);
    let ten = open(&all[0], &others[..9]).await.data("openDirectConversation");
    assert_eq!(ten["conversation"]["memberCount"], 10);
}

#[tokio::test]
async fn nobody_is_spoken_to_who_cannot_hear_it_or_does_not_want_it() {
    let server = TestServer::start().await;
    let all = people(&server, &["alice", "bob", "carol", "dave", "erin", "frank"]).await;
    let [alice, bob, imported, gone, nobody, shared] = all.try_into().ok().unwrap();
    let kept = nobody.direct_with(&[&alice]).await;
    let lost = alice.direct_with(&[&gone]).await;
    let change = "UPDATE users SET is_claimed = false WHERE username = 'carol';
        UPDATE users SET deleted_at = now() WHERE username = 'dave'";
    server.database.execute(change).await;
    nobody.prefer(json!({ "privacy": { "directConversationsFrom": "NOBODY" } })).await;
    shared.prefer(json!({ "privacy": { "directConversationsFrom": "SHARED" } })).await;
    let trio = alice.direct_with(&[&bob, &server.register("grace").await]).await;
    let before = server.database.contents().await;
    let mut texts = BTreeSet::new();
    for unwilling in [&imported, &gone, &nobody, &shared] {
        for others in [vec![unwilling], vec![&bob, unwilling]] {
            // Those that there are stay.
            if others.len() == 1 && [&gone.id, &nobody.id].contains(&&unwilling.id) {
                continue;
            }
            let answer = open(&alice, &others).await;
            assert_eq!(answer.code(), "FORBIDDEN", "{}", unwilling.name);
            texts.insert(answer.0["errors"][0]["message"].as_str().unwrap().to_owned());
        }
        let added = add(&alice, &trio, &[unwilling]).await.data("addConversationMembers");
        assert_eq!(added["rejected"], json!([{ "userId": unwilling.id, "reason": "NOT_ALLOWED" }]));
        let added = add(&alice, &alice.direct_with(&[&nobody]).await, &[unwilling]).await;
        if unwilling.id != nobody.id {
            assert_eq!(added.data("addConversationMembers")["rejected"][0]["reason"], "NOT_ALLOWED");
        }
    }
    assert_eq!(texts.len(), 1, "no more is said: {texts:?}");
    for (other, there) in [(&nobody, &kept), (&gone, &lost)] {
        let found = open(&alice, &[other]).await.data("openDirectConversation");
        assert_eq!((&found["isNew"], &found["conversation"]["id"]), (&json!(false), &json!(there)));
    }
    // Adding to what there is with somebody opens another one with them too, which they do not want.
    assert_eq!(add(&alice, &kept, &[&bob]).await.code(), "FORBIDDEN");
    assert_eq!(server.database.contents().await, before);
    // They themselves speak to whom they like; and a channel is enough to share.
    assert_eq!(open(&shared, &[&bob]).await.data("openDirectConversation")["isNew"], true);
    assert_eq!(open(&nobody, &[&bob]).await.data("openDirectConversation")["isNew"], true);
    let channel = alice.public_channel("Anywhere").await;
    shared.join(&channel).await;
    assert_eq!(open(&alice, &[&shared]).await.data("openDirectConversation")["isNew"], true);
    // Not to whoever has left it.
    let grace = server.register("heidi").await;
    grace.join(&channel).await;
    grace.leave(&channel).await;
    assert_eq!(open(&grace, &[&shared]).await.code(), "FORBIDDEN");
}
