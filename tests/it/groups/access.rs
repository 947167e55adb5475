//! Who is in a group, and what that opens and closes.

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};

use super::{
    MISCOUNTED, OUTSIDE, admit, channel, channels_of, done, join, leave, members_of, private_group, public_group, run,
    sees, text, try_to_say,
};
use crate::harness::{Answer, Ended, TestServer};

#[tokio::test]
async fn a_private_group_does_not_exist_for_strangers() {
    let server = TestServer::start().await;
    let (root, alice, bob) =
        (server.register("ruth").await, server.register("alice").await, server.register("bob").await);
    let group = private_group(&alice, "Hidden").await;
    let open = channel(&alice, &group, "Open", "PUBLIC").await;
    let seat = admit(&alice, &group, &[&server.register("carol").await], "MEMBER").await.remove(0);
    for stranger in [&root, &bob] {
        for id in [&group, &open, &seat] {
            assert!(sees(&alice, id).await);
            assert!(!sees(stranger, id).await, "{id}");
        }
        let listed = stranger.query("{ groups { nodes { id } } channels { nodes { id } } }").await;
        assert_eq!((listed.data("groups"), listed.data("channels")), (json!({ "nodes": [] }), json!({ "nodes": [] })));
        let before = server.database.contents().await;
        for (field, input, select) in [
            ("joinGroup", json!({ "groupId": group }), "group { id }"),
            ("leaveGroup", json!({ "groupId": group }), "groupId"),
            ("updateGroup", json!({ "groupId": group, "name": "Mine" }), "group { id }"),
            ("archiveGroup", json!({ "groupId": group }), "group { id }"),
            ("addGroupMembers", json!({ "groupId": group, "userIds": [stranger.id] }), "group { id }"),
            ("removeGroupMember", json!({ "memberId": seat }), "memberId"),
            ("updateGroupMember", json!({ "memberId": seat, "role": "GUEST" }), "member { id }"),
            ("transferGroupOwnership", json!({ "memberId": seat }), "group { id }"),
            ("createChannel", json!({ "groupId": group, "name": "Mine" }), "channel { id }"),
            ("createChannelCategory", json!({ "groupId": group, "name": "Mine" }), "category { id }"),
            ("joinChannel", json!({ "channelId": open }), "channel { id }"),
            ("moveChannel", json!({ "channelId": open }), "channel { id }"),
        ] {
            assert_eq!(run(stranger, field, input, select).await.code(), "NOT_FOUND", "{field}");
        }
        assert_eq!(server.database.contents().await, before);
    }
}

#[tokio::test]
async fn whoever_joins_sees_public_channels_and_whoever_leaves_sees_none() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = public_group(&alice, "Gardeners").await;
    let open = channel(&alice, &group, "Open", "PUBLIC").await;
    let closed = channel(&alice, &group, "Closed", "PRIVATE").await;
    // The group is seen, and nothing in it.
    assert!(sees(&bob, &group).await && !sees(&bob, &open).await);
    assert_eq!(channels_of(&bob, &group).await, [""; 0]);
    let by_address = "query($group: String!) { channel(by: { inGroup: { group: $group, channel: \"open\" } }) { id } }";
    assert_eq!(bob.ask(by_address, json!({ "group": "gardeners" })).await.data("channel"), json!(null));
    for _ in 0..2 {
        assert_eq!(join(&bob, &group).await.data("joinGroup")["group"]["viewerMember"]["role"], "MEMBER");
    }
    assert!(sees(&bob, &open).await && !sees(&bob, &closed).await);
    assert_eq!(channels_of(&bob, &group).await, ["Open"]);
    assert_eq!(bob.ask(by_address, json!({ "group": "gardeners" })).await.data("channel")["id"], open);
    // It is no address of the server's.
    assert_eq!(bob.query("{ channel(by: { slug: \"open\" }) { id } }").await.data("channel"), json!(null));
    assert_eq!(try_to_say(&bob, &open).await.code(), "FORBIDDEN");
    bob.join(&open).await;
    alice.add(&closed, &[&bob], "MEMBER").await;
    bob.say(&closed, "Hi").await;
    let left = leave(&bob, &group).await.data("leaveGroup");
    assert_eq!(left["group"]["memberCount"], 1);
    for channel in [&open, &closed] {
        assert!(!sees(&bob, channel).await);
        assert_eq!(try_to_say(&bob, channel).await.code(), "NOT_FOUND");
    }
    assert_eq!((server.database.count(OUTSIDE).await, server.database.count(MISCOUNTED).await), (0, 0));
    // Again is nothing, and coming back brings no seat back.
    leave(&bob, &group).await.data("leaveGroup");
    join(&bob, &group).await.data("joinGroup");
    assert!(sees(&bob, &open).await && !sees(&bob, &closed).await);
    assert_eq!(try_to_say(&bob, &open).await.code(), "FORBIDDEN");
}

/// Both who has a seat and who only reads; and those who stay hear on.
#[tokio::test]
async fn streams_of_a_groups_channels_end_with_the_membership() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let group = public_group(&alice, "Gardeners").await;
    for is_removed in [false, true] {
        let seats = admit(&alice, &group, &[&bob, &carol], "MEMBER").await;
        let read = channel(&alice, &group, "Read", "PUBLIC").await;
        let joined = channel(&alice, &group, "Joined", "PUBLIC").await;
        let added = channel(&alice, &group, "Added", "PRIVATE").await;
        bob.join(&joined).await;
        alice.add(&added, &[&bob], "MEMBER").await;
        let (mut of_bob, mut of_carol, another) = (bob.socket().await, carol.socket().await, server.another().await);
        // Also at another server, and one who comes back later to where they were.
        let mut elsewhere = bob.at(another.address).socket().await;
        let mut logs = [of_bob.follow(&read, None), elsewhere.follow(&read, None), of_carol.follow(&read, None)];
        let mut seated = [of_bob.follow(&joined, None), of_bob.follow(&added, None)];
        for log in logs.iter_mut().chain(&mut seated) {
            log.batch().await;
        }
        match is_removed {
            false => drop(leave(&bob, &group).await.data("leaveGroup")),
            true => {
                let input = json!({ "memberId": seats[0], "reason": "Spam" });
                done(&alice, "removeGroupMember", input, "memberId").await;
            }
        }
        let said = alice.say(&read, "not for bob").await;
        for log in &mut seated {
            let event = log.batch().await["events"][0].clone();
            let reason = if is_removed { "REMOVED" } else { "LEFT" };
            assert_eq!((&event["__typename"], &event["reason"]), (&json!("MemberLeftEvent"), &json!(reason)));
            assert_eq!(log.end().await, Ended::Complete);
        }
        for log in &mut logs[..2] {
            assert_eq!(log.end().await, Ended::Complete);
        }
        // What ended it takes a place in the log, and is shown to nobody.
        let heard = logs[2].events_until(said["seq"].as_i64().unwrap()).await;
        let kinds: Vec<_> = heard.iter().map(|event| text(&event["__typename"])).collect();
        assert_eq!(kinds, ["MessageSentEvent"]);
        assert_eq!(heard[0]["seq"], 3);
        let mut again = bob.socket().await;
        assert_eq!(again.follow(&read, Some(1)).end().await, Ended::Error("NOT_FOUND".into()));
        if is_removed {
            let audit = "SELECT details->>'reason' FROM audit_entries WHERE action = 'group.member.remove'";
            assert_eq!(server.database.rows(audit).await, [["Spam"]]);
        }
    }
    assert_eq!(members_of(&alice, &group).await, ["alice OWNER", "carol MEMBER"]);
}

#[tokio::test]
async fn nobody_is_added_to_a_channel_of_a_group_they_are_not_in() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let group = private_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob], "MEMBER").await;
    let place = channel(&alice, &group, "Open", "PUBLIC").await;
    let input = json!({ "conversationId": place, "userIds": [bob.id, carol.id] });
    let added =
        done(&alice, "addConversationMembers", input, "members { user { username } } rejected { userId reason }");
    let added = added.await;
    assert_eq!(added["members"], json!([{ "user": { "username": "bob" } }]));
    assert_eq!(added["rejected"], json!([{ "userId": carol.id, "reason": "NOT_IN_GROUP" }]));
    let input = json!({ "groupId": group, "name": "New", "memberIds": [bob.id, carol.id] });
    let refused = run(&alice, "createChannel", input, "channel { id }").await;
    assert_eq!(refused.wrong_fields(), ["input.memberIds.1 UNKNOWN_ID"]);
    done(&alice, "createChannel", json!({ "groupId": group, "name": "New", "memberIds": [bob.id] }), "channel { id }")
        .await;
}

#[tokio::test]
async fn those_who_cannot_be_added_to_a_group_come_back_with_the_reason() {
    let server = TestServer::start().await;
    let (alice, bob, carol, dan) = (
        server.register("alice").await,
        server.register("bob").await,
        server.register("carol").await,
        server.register("dan").await,
    );
    let group = private_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob], "MEMBER").await;
    done(&carol, "blockUser", json!({ "userId": alice.id }), "user { id }").await;
    let nobody = chinwag::id::UserId(uuid::Uuid::new_v4()).to_string();
    server
        .database
        .execute(&format!(
            "INSERT INTO group_members (group_id, user_id, id, role, joined_at, left_at, departure)
             SELECT g.id, u.id, gen_random_uuid(), 'MEMBER', now(), now(), 'BANNED' FROM groups g, users u
             WHERE u.username = '{}'",
            dan.name
        ))
        .await;
    let people = [&bob.id, &carol.id, &dan.id, &nobody];
    let input = json!({ "groupId": group, "userIds": people });
    let added =
        done(&alice, "addGroupMembers", input, "members { user { username } } rejected { userId reason }").await;
    assert_eq!(added["members"], json!([{ "user": { "username": "bob" } }]));
    let reasons: Vec<_> = added["rejected"].as_array().unwrap().iter().map(|one| text(&one["reason"])).collect();
    assert_eq!(reasons, ["NOT_ALLOWED", "BANNED", "NOT_FOUND"]);
    // Who is banned does not even see it when it is public.
    let input = json!({ "groupId": group, "visibility": "PUBLIC" });
    done(&alice, "updateGroup", input, "group { id }").await;
    assert!(sees(&carol, &group).await && !sees(&dan, &group).await);
    assert_eq!(join(&dan, &group).await.code(), "NOT_FOUND");
    let listed = dan.query("{ groups { nodes { id } } }").await.data("groups");
    assert_eq!(listed["nodes"], json!([]));
}

/// Leaving and being added, joining, talking and creating, all at once.
#[tokio::test]
async fn whatever_happens_at_once_nobody_has_a_seat_without_being_in_the_group() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = public_group(&alice, "Gardeners").await;
    let open = channel(&alice, &group, "Open", "PUBLIC").await;
    let closed = channel(&alice, &group, "Closed", "PRIVATE").await;
    for round in 0..8 {
        join(&bob, &group).await.data("joinGroup");
        bob.join(&open).await;
        let mine = run(&bob, "createChannel", json!({ "groupId": group, "name": "Mine" }), "channel { id }");
        let add = json!({ "conversationId": closed, "userIds": [bob.id] });
        let come = json!({ "channelId": open });
        let mut all: Vec<BoxFuture<'_, Answer>> = vec![
            Box::pin(run(&alice, "addConversationMembers", add, "rejected { reason }")),
            Box::pin(mine),
            Box::pin(try_to_say(&bob, &open)),
            Box::pin(leave(&bob, &group)),
            Box::pin(run(&bob, "joinChannel", come, "channel { id }")),
            Box::pin(try_to_say(&bob, &open)),
        ];
        all.rotate_left(round % 6);
        for answer in join_all(all).await {
            let told = format!("{answer:?}");
            assert!(!["INTERNAL", "TIMEOUT", "UNAVAILABLE"].iter().any(|code| told.contains(code)), "{told}");
        }
        assert_eq!((server.database.count(OUTSIDE).await, server.database.count(MISCOUNTED).await), (0, 0));
        assert!(!sees(&bob, &open).await && !sees(&bob, &closed).await);
    }
    // What a log says of bob after bob has left a channel, before coming back to it.
    let trespassing = "SELECT count(*) FROM conversation_events s JOIN users u ON u.id = s.actor_id
        WHERE u.username = 'bob' AND s.kind = 1 AND (SELECT e.kind FROM conversation_events e
            WHERE e.conversation_id = s.conversation_id AND e.seq < s.seq AND e.kind IN (10, 11)
            AND e.payload->>'user' = u.id::text ORDER BY e.seq DESC LIMIT 1) = 11";
    assert_eq!(server.database.count(trespassing).await, 0);
    let holes = "SELECT count(*) FROM conversations c WHERE last_seq <> (SELECT count(*) FROM conversation_events e WHERE e.conversation_id = c.id)";
    assert_eq!(server.database.count(holes).await, 0);
}

#[tokio::test]
async fn a_channel_without_its_owner_is_the_groups_owners_to_take_over() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let group = public_group(&alice, "Gardeners").await;
    admit(&alice, &group, &[&bob, &carol], "MEMBER").await;
    let of_bob = channel(&bob, &group, "Bob's", "PUBLIC").await;
    carol.join(&of_bob).await;
    leave(&bob, &group).await.data("leaveGroup");
    let seat = carol.seat_of(&of_bob, &carol).await;
    let take = json!({ "memberId": seat });
    assert_eq!(run(&carol, "transferConversationOwnership", take.clone(), "owner { id }").await.code(), "FORBIDDEN");
    // Without a seat of their own.
    let handed = done(&alice, "transferConversationOwnership", take, "owner { role user { username } }").await;
    assert_eq!(handed["owner"], json!({ "role": "OWNER", "user": { "username": "carol" } }));
}

#[tokio::test]
async fn who_shares_a_group_sees_each_other_and_unread_of_it_is_counted() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let status = "query($id: ID!) { user(by: { id: $id }) { presence { status } } }";
    let presence = async || bob.ask(status, json!({ "id": alice.id })).await.data("user")["presence"]["status"].clone();
    let _here = alice.socket().await;
    assert_eq!(presence().await, "OFFLINE");
    let group = public_group(&alice, "Gardeners").await;
    join(&bob, &group).await.data("joinGroup");
    assert_eq!(presence().await, "ONLINE");
    let (one, two) = (channel(&alice, &group, "One", "PUBLIC").await, channel(&alice, &group, "Two", "PUBLIC").await);
    for place in [&one, &two] {
        bob.join(place).await;
        alice.say(place, "Hi").await;
        alice.say(place, "Hi").await;
    }
    let outside = alice.public_channel("Outside").await;
    bob.join(&outside).await;
    alice.say(&outside, "Hi").await;
    let unread = async || -> Value {
        let ask = "query($id: ID!) { group(by: { id: $id }) { viewerUnreadCount } }";
        bob.ask(ask, json!({ "id": group })).await.data("group")["viewerUnreadCount"].clone()
    };
    assert_eq!(unread().await, 4);
    let mute = json!({ "conversationId": two, "mutedUntil": "2999-01-01T00:00:00Z" });
    done(&bob, "updateConversationViewerState", mute, "viewerState { id }").await;
    assert_eq!(unread().await, 2);
    done(&bob, "markConversationRead", json!({ "conversationId": one }), "viewerState { id }").await;
    assert_eq!(unread().await, 0);
    let inbox = "query($group: ID!) { viewer { conversations(filter: { groupId: $group }) { nodes { id } } } }";
    let shown = bob.ask(inbox, json!({ "group": group })).await.data("viewer");
    assert_eq!(shown["conversations"]["nodes"].as_array().unwrap().len(), 2);
    leave(&bob, &group).await.data("leaveGroup");
    let apart = public_group(&bob, "Elsewhere").await;
    assert!(sees(&bob, &apart).await);
    done(&bob, "leaveConversation", json!({ "conversationId": outside }), "conversationId").await;
    assert_eq!(presence().await, "OFFLINE");
}
