//! Who has which role, and who owns what.

use serde_json::{Value, json};

use crate::harness::{Actor, Answer, TestServer};

const CHANGE: &str = "mutation($input: UpdateConversationMemberInput!) { updateConversationMember(input: $input) {
    member { id role user { username } } } }";
const TRANSFER: &str = "mutation($id: ID!) { transferConversationOwnership(input: { memberId: $id }) {
    conversation { id } owner { id role user { username } } } }";
const ADD: &str = "mutation($input: AddConversationMembersInput!) { addConversationMembers(input: $input) {
    members { id } } }";
const REMOVE: &str = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
const LEAVE: &str = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversationId } }";

/// From least to most.
const ROLES: [&str; 5] = ["GUEST", "MEMBER", "MODERATOR", "ADMIN", "OWNER"];

async fn add(by: &Actor, channel: &str, who: &Actor, role: &str) -> String {
    by.add(channel, &[who], role).await.remove(0)
}

async fn change(by: &Actor, seat: &str, role: &str) -> Answer {
    by.ask(CHANGE, json!({ "input": { "memberId": seat, "role": role } })).await
}

async fn roles(by: &Actor, channel: &str) -> Vec<String> {
    let ask = "query($id: ID!) { conversation(id: $id) { members { nodes { role user { username } } } } }";
    let found = by.ask(ask, json!({ "id": channel })).await.data("conversation");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let nodes = found["members"]["nodes"].as_array().unwrap().clone();
    nodes.iter().map(|node| format!("{} {}", text(&node["user"]["username"]), text(&node["role"]))).collect()
}

async fn events(by: &Actor, channel: &str, after: i64) -> Vec<Value> {
    let mut socket = by.socket().await;
    let batch = socket.follow(channel, Some(after)).batch().await;
    batch["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn roles_change_only_for_those_of_lower_rank_and_up_to_ones_own() {
    let server = TestServer::start().await;
    let owner = server.register("owner").await;
    let channel = owner.private_channel("Ours", &[]).await;
    let mut actors = Vec::new();
    let mut targets = Vec::new();
    for role in &ROLES[..4] {
        let (actor, target) =
            (server.register(&format!("{role}-1")).await, server.register(&format!("{role}-2")).await);
        add(&owner, &channel, &actor, role).await;
        targets.push(add(&owner, &channel, &target, role).await);
        actors.push(actor);
    }
    targets.push(owner.seat_of(&channel, &owner).await);
    actors.push(owner.clone());
    for (rank, actor) in actors.iter().enumerate() {
        for (before, seat) in targets.iter().enumerate() {
            for (after, role) in ROLES.iter().enumerate() {
                let what = format!("{} makes {} {role}", ROLES[rank], ROLES[before]);
                let may = rank >= 3 && before < rank && after <= rank && *role != "OWNER";
                let contents = server.database.contents().await;
                let answer = change(actor, seat, role).await;
                if !may {
                    assert_eq!(answer.code(), "FORBIDDEN", "{what}");
                    assert_eq!(server.database.contents().await, contents, "{what}");
                    continue;
                }
                assert_eq!(answer.data("updateConversationMember")["member"]["role"], *role, "{what}");
                assert_eq!(server.database.contents().await == contents, before == after, "{what}");
                change(&owner, seat, ROLES[before]).await.data("updateConversationMember");
            }
        }
    }
}

#[tokio::test]
async fn a_changed_role_stands_in_the_log_and_in_the_audit_and_counts_at_once() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Ours", &[&bob]).await;
    let seat = alice.seat_of(&channel, &bob).await;
    let carol = server.register("carol").await;
    let input = json!({ "input": { "conversationId": channel, "userIds": [carol.id] } });
    assert_eq!(bob.ask(ADD, input.clone()).await.code(), "FORBIDDEN");
    for _ in 0..2 {
        change(&alice, &seat, "ADMIN").await.data("updateConversationMember");
    }
    bob.ask(ADD, input).await.data("addConversationMembers");
    let log = events(&alice, &channel, 2).await;
    assert_eq!(log.len(), 2, "{log:?}");
    assert_eq!(
        log[0],
        json!({
            "__typename": "MemberUpdatedEvent", "seq": 3, "actor": { "id": alice.id, "username": "alice" },
            "user": { "username": "bob" }, "previousRole": "MEMBER", "role": "ADMIN",
            "member": { "id": seat, "role": "ADMIN" },
        })
    );
    let audit = "SELECT subject_id, actor_id = (SELECT id FROM users WHERE username = 'alice'), details->>'from',
        details->>'to' FROM audit_entries WHERE action = 'conversation.member.role'";
    assert_eq!(server.database.rows(audit).await, [[seat.as_str(), "t", "MEMBER", "ADMIN"]]);
    // Of a membership that has ended there is nothing to change; the event stays, without it.
    bob.leave(&channel).await;
    assert_eq!(change(&alice, &seat, "GUEST").await.code(), "NOT_FOUND");
    assert_eq!(events(&alice, &channel, 2).await[0]["member"], json!(null));
    // Nor of that one when they are back, in another seat and as anybody who comes.
    let again = add(&alice, &channel, &bob, "MEMBER").await;
    assert_ne!(again, seat);
    assert_eq!(change(&alice, &seat, "GUEST").await.code(), "NOT_FOUND");
    assert_eq!(roles(&alice, &channel).await, ["alice OWNER", "carol MEMBER", "bob MEMBER"]);
}

#[tokio::test]
async fn an_owner_hands_over_and_may_leave_then() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Ours").await;
    bob.join(&channel).await;
    let (of_alice, of_bob) = (alice.seat_of(&channel, &alice).await, alice.seat_of(&channel, &bob).await);
    // To oneself is nothing.
    let before = server.database.contents().await;
    alice.ask(TRANSFER, json!({ "id": of_alice })).await.data("transferConversationOwnership");
    assert_eq!(server.database.contents().await, before);

    let handed = alice.ask(TRANSFER, json!({ "id": of_bob })).await.data("transferConversationOwnership");
    assert_eq!(handed["owner"], json!({ "id": of_bob, "role": "OWNER", "user": { "username": "bob" } }));
    assert_eq!(roles(&alice, &channel).await, ["bob OWNER", "alice ADMIN"]);
    let log = events(&alice, &channel, 2).await;
    let told: Vec<_> = log.iter().map(|e| (&e["user"]["username"], &e["previousRole"], &e["role"])).collect();
    assert_eq!(
        told,
        [(&json!("alice"), &json!("OWNER"), &json!("ADMIN")), (&json!("bob"), &json!("MEMBER"), &json!("OWNER")),]
    );
    let audit = format!(
        "SELECT count(*) FROM audit_entries WHERE action = 'conversation.transfer'
        AND subject_id = '{of_bob}' AND details->>'user' = '{}' AND details->>'from' = '{}'",
        bob.id, alice.id
    );
    assert_eq!(server.database.count(&audit).await, 1);
    assert_eq!(alice.ask(TRANSFER, json!({ "id": of_alice })).await.code(), "FORBIDDEN");
    alice.leave(&channel).await;
    assert_eq!(bob.ask(TRANSFER, json!({ "id": of_alice })).await.code(), "NOT_FOUND");
    assert_eq!(bob.ask(LEAVE, json!({ "id": channel })).await.code(), "FAILED_PRECONDITION");
}

#[tokio::test]
async fn nothing_is_handed_to_somebody_who_cannot_sign_in() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.private_channel("Ours", &[&bob]).await;
    let seat = alice.seat_of(&channel, &bob).await;
    server.database.execute("UPDATE users SET is_claimed = false WHERE username = 'bob'").await;
    let refused = alice.ask(TRANSFER, json!({ "id": seat })).await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "UNREACHABLE");
    assert_eq!(roles(&alice, &channel).await, ["alice OWNER", "bob MEMBER"]);
}

#[tokio::test]
async fn a_server_admin_hands_over_what_nobody_owns_where_they_see_it() {
    let server = TestServer::start().await;
    let (root, alice, bob) =
        (server.register("ruth").await, server.register("alice").await, server.register("bob").await);
    for (name, is_public) in [("Open", true), ("Hidden", false)] {
        let channel = match is_public {
            true => alice.public_channel(name).await,
            false => alice.private_channel(name, &[]).await,
        };
        let seat = add(&alice, &channel, &bob, "MEMBER").await;
        // It is owned: a server's roles give nothing inside.
        let refused = if is_public { "FORBIDDEN" } else { "NOT_FOUND" };
        assert_eq!(root.ask(TRANSFER, json!({ "id": seat })).await.code(), refused);
        // As an import leaves it where the server has no admin yet.
        server.database.execute("UPDATE conversation_members SET role = 'ADMIN' WHERE role = 'OWNER'").await;
        for nobody in [&alice, &bob] {
            assert_eq!(nobody.ask(TRANSFER, json!({ "id": seat })).await.code(), "FORBIDDEN");
        }
        let handed = root.ask(TRANSFER, json!({ "id": seat })).await;
        if !is_public {
            assert_eq!(handed.code(), "NOT_FOUND");
            // With a seat they see it, and may take it over themselves.
            let own = add(&alice, &channel, &root, "GUEST").await;
            root.ask(TRANSFER, json!({ "id": own })).await.data("transferConversationOwnership");
            assert_eq!(roles(&alice, &channel).await, ["ruth OWNER", "alice ADMIN", "bob MEMBER"]);
            continue;
        }
        assert_eq!(handed.data("transferConversationOwnership")["owner"]["user"]["username"], "bob");
        assert_eq!(roles(&alice, &channel).await, ["bob OWNER", "alice ADMIN"]);
        assert_eq!(root.ask(TRANSFER, json!({ "id": seat })).await.code(), "FORBIDDEN");
    }
}

#[tokio::test]
async fn two_transfers_at_once_leave_one_owner() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    for _ in 0..5 {
        let channel = alice.private_channel("Ours", &[&bob, &carol]).await;
        let seats = [alice.seat_of(&channel, &bob).await, alice.seat_of(&channel, &carol).await];
        let both = seats.iter().map(|seat| alice.ask(TRANSFER, json!({ "id": seat })));
        let answers = futures_util::future::join_all(both).await;
        let done = answers.iter().filter(|answer| answer.0.get("errors").is_none()).count();
        assert_eq!(done, 1, "{answers:?}");
        let refused = answers.iter().find(|answer| answer.0.get("errors").is_some()).unwrap();
        assert_eq!(refused.code(), "FORBIDDEN");
        let owners = roles(&alice, &channel).await.into_iter().filter(|who| who.ends_with("OWNER")).count();
        assert_eq!(owners, 1);
    }
}

#[tokio::test]
async fn whoever_is_demoted_removes_nobody_any_more() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let mut others = Vec::new();
    for name in ["bob", "carol", "dave"] {
        others.push(server.register(name).await);
    }
    let channel = alice.public_channel("Ours").await;
    mallory.join(&channel).await;
    let seat = alice.seat_of(&channel, &mallory).await;
    for _ in 0..6 {
        change(&alice, &seat, "MODERATOR").await.data("updateConversationMember");
        let mut victims = Vec::new();
        for other in &others {
            other.join(&channel).await;
            victims.push(alice.seat_of(&channel, other).await);
        }
        let removing = victims.iter().map(|victim| mallory.ask(REMOVE, json!({ "id": victim })));
        let (demoted, removed) =
            futures_util::future::join(change(&alice, &seat, "MEMBER"), futures_util::future::join_all(removing)).await;
        demoted.data("updateConversationMember");
        for answer in removed.iter().filter(|answer| answer.0.get("errors").is_some()) {
            assert_eq!(answer.code(), "FORBIDDEN");
        }
        assert_eq!(mallory.ask(REMOVE, json!({ "id": seat })).await.code(), "FORBIDDEN");
    }
    // What the log says of mallory's role before each removal by mallory.
    let trespassing = "SELECT count(*) FROM (
        SELECT (SELECT r.payload->>'role' FROM conversation_events r WHERE r.conversation_id = e.conversation_id
            AND r.seq < e.seq AND r.kind = 12 ORDER BY r.seq DESC LIMIT 1) AS role
        FROM conversation_events e JOIN users u ON u.id = e.actor_id
        WHERE e.kind = 11 AND u.username = 'mallory') removed WHERE role <> 'MODERATOR'";
    assert_eq!(server.database.count(trespassing).await, 0);
}

#[tokio::test]
async fn whoever_has_left_gets_no_role_any_more() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Ours").await;
    for round in 0..6 {
        bob.join(&channel).await;
        let seat = alice.seat_of(&channel, &bob).await;
        let role = ["MODERATOR", "ADMIN"][round % 2];
        let (changed, ()) = futures_util::future::join(change(&alice, &seat, role), bob.leave(&channel)).await;
        if changed.0.get("errors").is_some() {
            assert_eq!(changed.code(), "NOT_FOUND");
        }
    }
    let late = "SELECT count(*) FROM conversation_events e JOIN conversation_events l USING (conversation_id)
        WHERE e.kind = 12 AND l.kind = 11 AND l.seq < e.seq AND l.payload->'member' = e.payload->'member'";
    assert_eq!(server.database.count(late).await, 0);
    // And comes back as anybody.
    bob.join(&channel).await;
    assert_eq!(roles(&alice, &channel).await, ["alice OWNER", "bob MEMBER"]);
}

#[tokio::test]
async fn whatever_happens_at_once_there_is_one_owner_and_everybody_is_counted() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let people = [&alice, &bob, &carol];
    let channel = alice.public_channel("Ours").await;
    let settle = "mutation($id: ID!) { archiveChannel(input: { channelId: $id }) { channel { id } } }";
    let open = "mutation($id: ID!) { unarchiveChannel(input: { channelId: $id }) { channel { id } } }";
    let join = "mutation($id: ID!) { joinChannel(input: { channelId: $id }) { channel { id } } }";
    for _ in 0..12 {
        for actor in people {
            actor.ask(open, json!({ "id": channel })).await;
        }
        for actor in people {
            actor.join(&channel).await;
        }
        let seats = futures_util::future::join_all(people.map(|actor| alice.seat_of(&channel, actor))).await;
        let mut all: Vec<futures_util::future::BoxFuture<'_, Answer>> = Vec::new();
        for actor in people {
            for seat in &seats {
                all.push(Box::pin(actor.ask(TRANSFER, json!({ "id": seat }))));
                all.push(Box::pin(actor.ask(REMOVE, json!({ "id": seat }))));
                all.push(Box::pin(change(actor, seat, "ADMIN")));
            }
            for mutation in [LEAVE, settle, join, open] {
                all.push(Box::pin(actor.ask(mutation, json!({ "id": channel }))));
            }
        }
        let answers = futures_util::future::join_all(all).await;
        for answer in &answers {
            let text = format!("{answer:?}");
            assert!(!text.contains("INTERNAL") && !text.contains("TIMEOUT") && !text.contains("UNAVAILABLE"), "{text}");
        }
        let seated = "SELECT count(*) FROM conversation_members WHERE left_at IS NULL";
        let owned = format!("{seated} AND role = 'OWNER'");
        assert_eq!(server.database.count(&owned).await, 1);
        let counted = server.database.count("SELECT sum(member_count) FROM conversations").await;
        assert_eq!(counted, server.database.count(seated).await);
    }
    let hole = "SELECT count(*) FROM conversations c WHERE last_seq <> (SELECT count(*) FROM conversation_events e WHERE e.conversation_id = c.id)";
    assert_eq!(server.database.count(hole).await, 0);
}
