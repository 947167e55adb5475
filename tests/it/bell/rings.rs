//! What rings for whom.

use serde_json::json;

use super::{DELETE, EDIT, FOLLOW, ROLE, UNREACT, at, bell, kinds, quote, react, read, reply, titles};
use crate::harness::TestServer;

#[tokio::test]
async fn a_mention_rings_with_words_that_say_who_where_and_what() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("lounge", &[&bob, &carol]).await;
    for who in [&bob, &carol] {
        assert_eq!(titles(who).await, ["alice added you to #lounge"]);
    }
    let said = alice.say(&channel, &format!("**Hi** {}, see `this`", at(&bob))).await;
    let rung = bell(&bob).await.remove(0);
    assert_eq!((&rung["kind"], &rung["title"]), (&json!("MENTION"), &json!("alice mentioned you in #lounge")));
    assert_eq!((&rung["body"], &rung["isUrgent"]), (&json!("Hi @bob, see this"), &json!(false)));
    assert_eq!(rung["actor"]["username"], "alice");
    assert_eq!(rung["conversation"]["id"], *channel);
    assert_eq!((&rung["subject"]["__typename"], &rung["subject"]["id"]), (&json!("Message"), &said["id"]));
    assert_eq!((kinds(&carol).await, kinds(&alice).await), ("ADDED".into(), "".into()));
    // Once each, however often one is named; and never oneself.
    carol.say(&channel, &format!("{} {} {}", at(&bob), at(&bob), at(&carol))).await;
    assert_eq!((kinds(&bob).await, kinds(&carol).await), ("MENTION MENTION ADDED".into(), "(ADDED)".into()));
}

#[tokio::test]
async fn an_answer_rings_for_whom_it_answers() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob, &carol], "MEMBER").await;
    for who in [&bob, &carol] {
        super::mark(who, json!({ "conversationId": channel })).await;
    }
    let root = bob.say(&channel, "Lunch?").await;
    quote(&alice, &channel, &root, "Yes").await;
    assert_eq!(kinds(&bob).await, "REPLY (ADDED)");
    assert_eq!(titles(&bob).await[0], "alice replied to you in #lounge");
    // Who follows a thread hears of what is written there, also of the first reply; its author does not.
    carol.ask(FOLLOW, json!({ "id": root["id"] })).await.data("followThread");
    let first = reply(&alice, &channel, &root, "At noon").await;
    let rung = bell(&carol).await.remove(0);
    assert_eq!(
        (&rung["kind"], &rung["title"]),
        (&json!("THREAD_REPLY"), &json!("alice replied in a thread in #lounge"))
    );
    assert_eq!((&rung["subject"]["__typename"], &rung["subject"]["root"]["id"]), (&json!("Thread"), &root["id"]));
    // Bob does not follow: the thread under one's message is not followed by itself.
    assert_eq!(kinds(&bob).await, "REPLY (ADDED)");
    reply(&bob, &channel, &root, "Good").await;
    assert_eq!((kinds(&alice).await, kinds(&bob).await), ("THREAD_REPLY".into(), "REPLY (ADDED)".into()));
    // The strongest reason of several, once.
    let both = json!({ "conversationId": channel, "threadRootId": root["id"], "replyToId": first["id"],
        "content": format!("{} too", at(&carol)) });
    bob.write(both).await;
    assert_eq!(
        (kinds(&alice).await, kinds(&carol).await),
        ("REPLY THREAD_REPLY".into(), "MENTION THREAD_REPLY THREAD_REPLY (ADDED)".into())
    );
}

#[tokio::test]
async fn what_is_written_to_somebody_directly_rings_for_them() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let two = alice.direct_with(&[&bob]).await;
    assert_eq!(kinds(&bob).await, "", "an open door is nothing that is said");
    alice.say(&two, "Hi").await;
    let rung = bell(&bob).await.remove(0);
    assert_eq!((&rung["kind"], &rung["title"]), (&json!("DIRECT_MESSAGE"), &json!("alice wrote to you")));
    assert_eq!(rung["body"], "Hi");
    let three = alice.direct_with(&[&bob, &carol]).await;
    bob.say(&three, &format!("{}!", at(&carol))).await;
    assert_eq!((kinds(&alice).await, kinds(&carol).await), ("DIRECT_MESSAGE".into(), "MENTION".into()));
    // Notes to oneself are silent.
    let notes = bob.direct_with(&[]).await;
    bob.say(&notes, "Milk").await;
    assert_eq!(kinds(&bob).await, "DIRECT_MESSAGE");
}

#[tokio::test]
async fn a_reaction_rings_once_and_goes_with_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[&bob]).await;
    let said = alice.say(&channel, "Done").await;
    react(&alice, &said, "👍").await;
    assert_eq!(kinds(&alice).await, "");
    react(&bob, &said, "🎉").await;
    react(&bob, &said, "👍").await;
    let rung = bell(&alice).await;
    assert_eq!(rung.len(), 1, "once for one person and message");
    assert_eq!(
        (&rung[0]["title"], &rung[0]["body"]),
        (&json!("bob reacted 🎉 to your message in #lounge"), &json!("Done"))
    );
    let back = async |emoji: &str| {
        bob.ask(UNREACT, json!({ "id": said["id"], "emoji": emoji })).await.data("removeReaction");
    };
    back("👍").await;
    assert_eq!(kinds(&alice).await, "REACTION");
    back("🎉").await;
    assert_eq!(kinds(&alice).await, "");
    // Back and forth is no way to ring and ring.
    react(&bob, &said, "🎉").await;
    assert_eq!(kinds(&alice).await, "");
}

#[tokio::test]
async fn who_is_added_or_gets_another_role_hears_of_it() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("lounge", &[&bob]).await;
    let seat = alice.seat_of(&channel, &bob).await;
    alice.ask(ROLE, json!({ "id": seat, "role": "ADMIN" })).await.data("updateConversationMember");
    assert_eq!(titles(&bob).await, ["alice made you an admin of #lounge", "alice added you to #lounge"]);
    assert_eq!(bell(&bob).await[0]["subject"]["__typename"], "Channel");
    let transfer = "mutation($id: ID!) { transferConversationOwnership(input: { memberId: $id }) { owner { id } } }";
    alice.ask(transfer, json!({ "id": seat })).await.data("transferConversationOwnership");
    assert_eq!(titles(&bob).await[0], "alice made you the owner of #lounge");
    // What somebody does with themselves is no news to them.
    let open = bob.public_channel("anywhere").await;
    carol.join(&open).await;
    assert_eq!((kinds(&carol).await, kinds(&alice).await), ("".into(), "".into()));
    let group = alice.query("mutation { createGroup(input: { name: \"Gardeners\" }) { group { id } } }").await;
    let group = group.data("createGroup")["group"]["id"].clone();
    let add = "mutation($id: ID!, $who: [ID!]!) { addGroupMembers(input: { groupId: $id, userIds: $who }) {
        members { id } } }";
    let added = alice.ask(add, json!({ "id": group, "who": [carol.id] })).await.data("addGroupMembers");
    let role = "mutation($id: ID!) { updateGroupMember(input: { memberId: $id, role: MODERATOR }) { member { id } } }";
    alice.ask(role, json!({ "id": added["members"][0]["id"] })).await.data("updateGroupMember");
    let expected = ["alice made you a moderator of the group Gardeners", "alice added you to the group Gardeners"];
    assert_eq!(titles(&carol).await, expected);
    let rung = bell(&carol).await.remove(0);
    assert_eq!((&rung["subject"]["id"], &rung["conversation"]), (&group, &json!(null)));
}

#[tokio::test]
async fn whoever_stands_in_a_block_rings_for_nobody_in_it() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[&bob]).await;
    let said = alice.say(&channel, "Hi").await;
    read(&bob, &channel).await;
    let before = (kinds(&alice).await, kinds(&bob).await);
    for (blocker, blocked) in [(&alice, &bob), (&bob, &alice)] {
        blocker.block(blocked).await;
        alice.say(&channel, &format!("{} <@everyone>", at(&bob))).await;
        bob.say(&channel, &at(&alice)).await;
        let quoted = quote(&bob, &channel, &said, "So?").await;
        reply(&bob, &channel, &said, "So?").await;
        react(&bob, &said, "👎").await;
        react(&alice, &quoted, "👎").await;
        let seat = alice.seat_of(&channel, &bob).await;
        for role in ["MODERATOR", "MEMBER"] {
            alice.ask(ROLE, json!({ "id": seat, "role": role })).await.data("updateConversationMember");
        }
        assert_eq!((kinds(&alice).await, kinds(&bob).await), before);
        blocker.unblock(blocked).await;
    }
    alice.say(&channel, &at(&bob)).await;
    assert_eq!(kinds(&bob).await, format!("MENTION {}", before.1));
}

#[tokio::test]
async fn an_edit_rings_for_those_whom_it_names_anew() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("lounge", &[]).await;
    alice.add(&channel, &[&bob, &carol], "MEMBER").await;
    let root = alice.say(&channel, "Hi").await;
    let edit = async |message: &serde_json::Value, content: &str| {
        alice.ask(EDIT, json!({ "id": message["id"], "content": content })).await.data("editMessage");
    };
    edit(&root, &at(&bob)).await;
    assert_eq!((kinds(&bob).await, kinds(&carol).await), ("MENTION ADDED".into(), "ADDED".into()));
    // Nobody twice, and not everyone: they would be called by each change of a word.
    edit(&root, "nobody").await;
    edit(&root, &format!("{} {} <@everyone>", at(&bob), at(&carol))).await;
    assert_eq!((kinds(&bob).await, kinds(&carol).await), ("MENTION ADDED".into(), "MENTION ADDED".into()));
    // What they say is what stands there now.
    assert_eq!(bell(&bob).await[0]["body"], "@bob @carol <@everyone>");
    // Whoever has read it has read it.
    let said = alice.say(&channel, "Hi").await;
    read(&bob, &channel).await;
    edit(&said, &at(&bob)).await;
    assert_eq!(kinds(&bob).await, "(MENTION) (ADDED)");
    let answer = reply(&alice, &channel, &root, "In a thread").await;
    edit(&answer, &at(&bob)).await;
    assert_eq!(kinds(&bob).await, "MENTION (MENTION) (ADDED)");
}

#[tokio::test]
async fn what_was_deleted_is_in_nobodys_bell() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("lounge", &[&bob]).await;
    super::mark(&bob, json!({ "conversationId": channel })).await;
    let first = alice.say(&channel, &at(&bob)).await;
    let second = alice.say(&channel, &at(&bob)).await;
    react(&bob, &second, "👍").await;
    read(&bob, &channel).await;
    let third = alice.say(&channel, &at(&bob)).await;
    for message in [&first, &third, &second] {
        alice.ask(DELETE, json!({ "id": message["id"] })).await.data("deleteMessage");
    }
    assert_eq!((kinds(&bob).await, kinds(&alice).await), ("(ADDED)".into(), "".into()));
}

#[tokio::test]
async fn sending_again_rings_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let two = alice.direct_with(&[&bob]).await;
    for _ in 0..3 {
        alice.write(json!({ "conversationId": two, "content": "Hi", "clientKey": "the-same-key" })).await;
    }
    assert_eq!(kinds(&bob).await, "DIRECT_MESSAGE");
}
