//! Roles in a group, and what they are worth in its channels.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{admit, channel, done, members_of, private_group, public_group, run, text, try_to_say};
use crate::harness::{Actor, TestServer};

const ROLES: [&str; 5] = ["GUEST", "MEMBER", "MODERATOR", "ADMIN", "OWNER"];

#[tokio::test]
async fn roles_change_and_members_go_only_by_those_of_higher_rank() {
    let server = TestServer::start().await;
    let owner = server.register("owner").await;
    let group = private_group(&owner, "Ours").await;
    let (mut actors, mut targets) = (Vec::new(), Vec::new());
    for role in &ROLES[..4] {
        let (actor, target) =
            (server.register(&format!("{role}-1")).await, server.register(&format!("{role}-2")).await);
        admit(&owner, &group, &[&actor], role).await;
        targets.push(admit(&owner, &group, &[&target], role).await.remove(0));
        actors.push(actor);
    }
    for (rank, actor) in actors.iter().enumerate() {
        for (before, member) in targets.iter().enumerate() {
            for (after, role) in ROLES.iter().enumerate() {
                let contents = server.database.contents().await;
                let input = json!({ "memberId": member, "role": role });
                let changed = run(actor, "updateGroupMember", input, "member { role }").await;
                let what = format!("{} makes {} {role}", actor.name, ROLES[before]);
                // Whoever is no admin changes nothing, nor anybody of their own rank or above, nor to above it.
                if rank == 3 && before < rank && after <= rank {
                    assert_eq!(changed.data("updateGroupMember")["member"]["role"], *role, "{what}");
                    let back = json!({ "memberId": member, "role": ROLES[before] });
                    done(&owner, "updateGroupMember", back, "member { id }").await;
                } else {
                    assert_eq!(changed.code(), "FORBIDDEN", "{what}");
                    assert_eq!(server.database.contents().await, contents, "{what}");
                }
            }
            if rank < 2 || before >= rank {
                let removed = run(actor, "removeGroupMember", json!({ "memberId": member }), "memberId").await;
                assert_eq!(removed.code(), "FORBIDDEN", "{} removes {}", actor.name, ROLES[before]);
            }
        }
    }
    let moderator = &actors[2];
    done(moderator, "removeGroupMember", json!({ "memberId": targets[0] }), "memberId").await;
    done(moderator, "removeGroupMember", json!({ "memberId": targets[1] }), "memberId").await;
    // Of a membership that has ended nothing is left to change.
    let input = json!({ "memberId": targets[0], "role": "MEMBER" });
    assert_eq!(run(&owner, "updateGroupMember", input, "member { id }").await.code(), "NOT_FOUND");
    assert_eq!(
        server.database.count("SELECT count(*) FROM audit_entries WHERE action = 'group.member.remove'").await,
        2
    );
}

async fn permissions(actor: &Actor, channel: &str) -> Value {
    let ask = "query($id: ID!) { conversation(id: $id) { viewerPermissions {
        canPost canPin canModerate canUpdate canRemoveMembers canArchive canJoin } } }";
    actor.ask(ask, json!({ "id": channel })).await.data("conversation")["viewerPermissions"].clone()
}

#[tokio::test]
async fn the_higher_of_a_groups_and_a_channels_role_counts_where_there_is_a_seat_and_in_public_channels() {
    let server = TestServer::start().await;
    let (alice, bob, carol, dan) = (
        server.register("alice").await,
        server.register("bob").await,
        server.register("carol").await,
        server.register("dan").await,
    );
    let group = private_group(&alice, "Gardeners").await;
    let admin = admit(&alice, &group, &[&bob], "ADMIN").await.remove(0);
    admit(&alice, &group, &[&carol, &dan], "MEMBER").await;
    let input = |name: &str, visibility: &str| {
        json!({ "groupId": group, "name": name, "visibility": visibility,
        "postingRole": "ADMIN", "memberIds": [bob.id, dan.id] })
    };
    let (open, closed) =
        (carol.create_channel(input("Open", "PUBLIC")).await, carol.create_channel(input("Closed", "PRIVATE")).await);
    for place in [&open, &closed] {
        // A member there, and an admin by the group.
        try_to_say(&bob, place).await.data("sendMessage");
        assert_eq!(try_to_say(&dan, place).await.code(), "FORBIDDEN");
        let can = permissions(&bob, place).await;
        for name in ["canPost", "canPin", "canModerate", "canUpdate", "canArchive"] {
            assert_eq!(can[name], true, "{name}");
        }
        done(&bob, "updateChannel", json!({ "channelId": place, "topic": "New" }), "channel { id }").await;
    }
    let message = bob.say(&open, "Hi").await["id"].clone();
    // Without a seat: what takes none, where it is public. Out of sight where it is not.
    let can = permissions(&alice, &open).await;
    for (name, may) in [("canPost", false), ("canPin", false), ("canModerate", true), ("canUpdate", true)] {
        assert_eq!(can[name], may, "{name}");
    }
    assert_eq!(try_to_say(&alice, &open).await.code(), "FORBIDDEN");
    assert_eq!(try_to_say(&alice, &closed).await.code(), "NOT_FOUND");
    let of_message = "query($id: ID!) { message(id: $id) { viewerPermissions { canDelete } } }";
    let can = alice.ask(of_message, json!({ "id": message })).await.data("message");
    assert_eq!(can["viewerPermissions"]["canDelete"], true);
    done(&alice, "deleteMessage", json!({ "messageId": message }), "seq").await;
    let of_dan = carol.seat_of(&open, &dan).await;
    done(&alice, "removeConversationMember", json!({ "memberId": of_dan }), "memberId").await;
    // Who owns a channel stands below who has the higher role in the group.
    alice.join(&open).await;
    let of_alice = carol.seat_of(&open, &alice).await;
    for (field, input, select) in [
        ("removeConversationMember", json!({ "memberId": of_alice }), "memberId"),
        ("updateConversationMember", json!({ "memberId": of_alice, "role": "GUEST" }), "member { id }"),
    ] {
        assert_eq!(run(&carol, field, input, select).await.code(), "FORBIDDEN", "{field}");
    }
    let by_alice = alice.write(json!({ "conversationId": open, "content": "Hi" })).await["id"].clone();
    let can = bob.ask(of_message, json!({ "id": by_alice })).await.data("message");
    assert_eq!(can["viewerPermissions"]["canDelete"], false);
    assert_eq!(run(&bob, "deleteMessage", json!({ "messageId": by_alice }), "seq").await.code(), "FORBIDDEN");
    // And counts no longer than it is held.
    done(&alice, "updateGroupMember", json!({ "memberId": admin, "role": "MEMBER" }), "member { id }").await;
    for place in [&open, &closed] {
        assert_eq!(try_to_say(&bob, place).await.code(), "FORBIDDEN");
    }
}

/// Sends of one batch are judged together, each by their own role in the group of their channel.
#[tokio::test]
async fn whoever_was_demoted_announces_nothing_any_more() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let group = private_group(&alice, "Gardeners").await;
    let member = admit(&alice, &group, &[&bob], "ADMIN").await.remove(0);
    let input = json!({ "groupId": group, "name": "News", "postingRole": "ADMIN", "memberIds": [bob.id] });
    let news = alice.create_channel(input).await;
    for _ in 0..5 {
        let demote = run(&alice, "updateGroupMember", json!({ "memberId": member, "role": "MEMBER" }), "member { id }");
        let saying = join_all((0..6).map(|_| try_to_say(&bob, &news)));
        let (demoted, said) = futures_util::future::join(demote, saying).await;
        demoted.data("updateGroupMember");
        for answer in said.iter().filter(|answer| answer.0.get("errors").is_some()) {
            assert_eq!(answer.code(), "FORBIDDEN");
        }
        assert_eq!(try_to_say(&bob, &news).await.code(), "FORBIDDEN");
        done(&alice, "updateGroupMember", json!({ "memberId": member, "role": "ADMIN" }), "member { id }").await;
    }
}

#[tokio::test]
async fn sending_takes_no_more_statements_in_a_group_than_elsewhere() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let group = private_group(&alice, "Gardeners").await;
    let inside = channel(&alice, &group, "Inside", "PUBLIC").await;
    let outside = alice.public_channel("Outside").await;
    let mut counts = Vec::new();
    for place in [&outside, &inside] {
        alice.say(place, "Hi").await;
        let (statements, _) = server.statements(try_to_say(&alice, place)).await;
        counts.push(statements.len());
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn an_owner_hands_a_group_over_and_may_leave_then() {
    let server = TestServer::start().await;
    let (root, alice, bob, carol) = (
        server.register("ruth").await,
        server.register("alice").await,
        server.register("bob").await,
        server.register("carol").await,
    );
    let group = public_group(&alice, "Gardeners").await;
    let of_bob = admit(&alice, &group, &[&bob, &carol], "GUEST").await.remove(0);
    let refused = super::leave(&alice, &group).await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "OWNER");
    let hand = json!({ "memberId": of_bob });
    for nobody in [&root, &bob, &carol] {
        assert_eq!(run(nobody, "transferGroupOwnership", hand.clone(), "owner { id }").await.code(), "FORBIDDEN");
    }
    let handed = done(&alice, "transferGroupOwnership", hand.clone(), "owner { role user { username } }").await;
    assert_eq!(handed["owner"], json!({ "role": "OWNER", "user": { "username": "bob" } }));
    assert_eq!(members_of(&bob, &group).await, ["bob OWNER", "alice ADMIN", "carol GUEST"]);
    super::leave(&alice, &group).await.data("leaveGroup");
    // What nobody owns, whoever runs the server gives to somebody, where they see it.
    server.database.execute("UPDATE group_members SET role = 'MEMBER' WHERE role = 'OWNER'").await;
    assert_eq!(run(&bob, "transferGroupOwnership", hand.clone(), "owner { id }").await.code(), "FORBIDDEN");
    done(&root, "transferGroupOwnership", hand, "owner { id }").await;
    assert_eq!(members_of(&bob, &group).await, ["bob OWNER", "carol GUEST"]);
    assert_eq!(server.database.count("SELECT count(*) FROM audit_entries WHERE action = 'group.transfer'").await, 2);
}

#[tokio::test]
async fn two_transfers_at_once_leave_one_owner() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    for round in 0..4 {
        let group = private_group(&alice, &format!("Group {round}")).await;
        let members = admit(&alice, &group, &[&bob, &carol], "MEMBER").await;
        let both =
            members.iter().map(|id| run(&alice, "transferGroupOwnership", json!({ "memberId": id }), "owner { id }"));
        let answers = join_all(both).await;
        let refused: Vec<_> = answers.iter().filter(|answer| answer.0.get("errors").is_some()).collect();
        assert_eq!(refused.iter().map(|answer| text(&json!(answer.code()))).collect::<Vec<_>>(), ["FORBIDDEN"]);
        let owners = members_of(&alice, &group).await.into_iter().filter(|who| who.ends_with("OWNER")).count();
        assert_eq!(owners, 1);
    }
}

/// Each is what happens, not what one thinks should happen.
#[tokio::test]
async fn what_one_may_in_a_group_is_what_works_when_one_tries() {
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for name in ["operator", "owner", "admin", "moderator", "member", "guest", "stranger", "low", "lower", "new"] {
        people.push(server.register(name).await);
    }
    let [operator, owner, admin, moderator, member, guest, stranger, low, lower, new] = people.try_into().ok().unwrap();
    let mut tried = 0;
    for (visibility, is_archived) in [("PUBLIC", false), ("PRIVATE", false), ("PUBLIC", true)] {
        for person in [&operator, &owner, &admin, &moderator, &member, &guest, &stranger] {
            let is_outside = [&operator.name, &stranger.name].contains(&&person.name);
            if visibility == "PRIVATE" && is_outside {
                continue;
            }
            let name = format!("{visibility} {is_archived} {}", person.name);
            let group = super::found(&owner, json!({ "name": name, "visibility": visibility })).await;
            let mut targets = Vec::new();
            for (role, people) in [
                ("ADMIN", &[&admin][..]),
                ("MODERATOR", &[&moderator]),
                ("MEMBER", &[&member]),
                ("GUEST", &[&low, &lower, &guest]),
            ] {
                targets = admit(&owner, &group, people, role).await;
            }
            if is_archived {
                done(&owner, "archiveGroup", json!({ "groupId": group }), "group { id }").await;
            }
            let ask = "query($id: ID!) { group(by: { id: $id }) { viewerPermissions { canCreateChannel
                canManageCategories canAddMembers canRemoveMembers canManageRoles canModerate canUpdate canArchive
                canJoin canLeave } } }";
            let can = person.ask(ask, json!({ "id": group })).await.data("group")["viewerPermissions"].clone();
            for (permission, field, input, select) in [
                ("canCreateChannel", "createChannel", json!({ "groupId": group, "name": "New" }), "channel { id }"),
                (
                    "canManageCategories",
                    "createChannelCategory",
                    json!({ "groupId": group, "name": "New" }),
                    "category { id }",
                ),
                ("canAddMembers", "addGroupMembers", json!({ "groupId": group, "userIds": [new.id] }), "group { id }"),
                (
                    "canManageRoles",
                    "updateGroupMember",
                    json!({ "memberId": targets[0], "role": "MEMBER" }),
                    "member { id }",
                ),
                ("canRemoveMembers", "removeGroupMember", json!({ "memberId": targets[1] }), "memberId"),
                ("canUpdate", "updateGroup", json!({ "groupId": group, "description": "New" }), "group { id }"),
                ("canArchive", "unarchiveGroup", json!({ "groupId": group }), "group { id }"),
                ("canJoin", "joinGroup", json!({ "groupId": group }), "group { id }"),
                ("canLeave", "leaveGroup", json!({ "groupId": group }), "groupId"),
            ] {
                let works = run(person, field, input, select).await.0.get("errors").is_none();
                // What is so already succeeds and is nothing; and who has just opened or joined it may more.
                let has_opened =
                    is_archived && can["canArchive"] == true && ["canJoin", "canLeave"].contains(&permission);
                let is_nothing = match permission {
                    "canJoin" => !is_outside,
                    "canLeave" => is_outside,
                    _ => false,
                };
                if !is_nothing && !has_opened {
                    assert_eq!(can[permission], works, "{permission}, {name}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 130, "{tried}");
}
