//! What the API says one may, and what happens when one tries.

use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const PERMISSIONS: &str = "canPost canReact canAttach canMentionEveryone canPin canStartCall canAddMembers
    canRemoveMembers canManageRoles canModerate canUpdate canArchive canJoin canLeave";

async fn permissions(actor: &Actor, channel: &str) -> Value {
    let ask = format!("query($id: ID!) {{ conversation(id: $id) {{ viewerPermissions {{ {PERMISSIONS} }} }} }}");
    actor.ask(&ask, json!({ "id": channel })).await.data("conversation")["viewerPermissions"].clone()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Public,
    Private,
    Announcements,
    Archived,
}

/// Each is what happens, not what one thinks should happen.
#[tokio::test]
async fn what_one_may_is_what_works_when_one_tries() {
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for name in ["operator", "owner", "admin", "moderator", "member", "guest", "reader"] {
        people.push(server.register(name).await);
    }
    let [operator, owner, admin, moderator, member, guest, reader] = people.try_into().ok().unwrap();
    let (low, lower) = (server.register("low").await, server.register("lower").await);
    let newcomer = server.register("newcomer").await;
    let mut tried = 0;
    for state in [State::Public, State::Private, State::Announcements, State::Archived] {
        for person in [&operator, &owner, &admin, &moderator, &member, &guest, &reader] {
            let is_reader = [&reader.name, &operator.name].contains(&&person.name);
            if state == State::Private && is_reader {
                continue;
            }
            let visibility = if state == State::Private { "PRIVATE" } else { "PUBLIC" };
            let posting_role = if state == State::Announcements { "ADMIN" } else { "GUEST" };
            let name = format!("{state:?} {}", person.name);
            let input = json!({ "name": name, "visibility": visibility });
            let channel = owner.create_channel(input).await;
            for (role, people) in [
                ("ADMIN", &[&admin][..]),
                ("MODERATOR", &[&moderator]),
                ("MEMBER", &[&member]),
                ("GUEST", &[&guest, &low, &lower]),
            ] {
                owner.add(&channel, people, role).await;
            }
            let message = low.say(&channel, "Hi").await["id"].clone();
            let seat = owner.seat_of(&channel, &lower).await;
            let quiet = format!(
                "mutation {{ updateChannel(input: {{ channelId: {channel:?}, postingRole: {posting_role} }}) {{ channel {{ id }} }} }}"
            );
            owner.query(&quiet).await.data("updateChannel");
            let close =
                format!("mutation {{ archiveChannel(input: {{ channelId: {channel:?} }}) {{ channel {{ id }} }} }}");
            let open = close.replace("archiveChannel", "unarchiveChannel");
            if state == State::Archived {
                owner.query(&close).await.data("archiveChannel");
            }
            let can = permissions(person, &channel).await;
            let new = &newcomer.id;
            for (permission, ask) in [
                (
                    "canPost",
                    format!(
                        "sendMessage(input: {{ conversationId: {channel:?}, clientKey: \"12345678\", content: \"!\" }}) {{ isReplay }}"
                    ),
                ),
                ("canReact", format!("addReaction(input: {{ messageId: {message}, emoji: \"👍\" }}) {{ seq }}")),
                ("canPin", format!("pinMessage(input: {{ messageId: {message} }}) {{ seq }}")),
                ("canModerate", format!("deleteMessage(input: {{ messageId: {message} }}) {{ seq }}")),
                (
                    "canAddMembers",
                    format!(
                        "addConversationMembers(input: {{ conversationId: {channel:?}, userIds: [{new:?}] }}) {{ members {{ id }} }}"
                    ),
                ),
                (
                    "canManageRoles",
                    format!(
                        "updateConversationMember(input: {{ memberId: {seat:?}, role: MEMBER }}) {{ member {{ id }} }}"
                    ),
                ),
                (
                    "canRemoveMembers",
                    format!(
                        "removeConversationMember(input: {{ memberId: {:?} }}) {{ memberId }}",
                        owner.seat_of(&channel, &low).await
                    ),
                ),
                (
                    "canUpdate",
                    format!(
                        "updateChannel(input: {{ channelId: {channel:?}, topic: \"New\" }}) {{ channel {{ id }} }}"
                    ),
                ),
                ("canArchive", format!("archiveChannel(input: {{ channelId: {channel:?} }}) {{ channel {{ id }} }}")),
                ("canJoin", format!("joinChannel(input: {{ channelId: {channel:?} }}) {{ channel {{ id }} }}")),
                (
                    "canLeave",
                    format!("leaveConversation(input: {{ conversationId: {channel:?} }}) {{ conversationId }}"),
                ),
            ] {
                // Joining where one is a member, and leaving where one is none, works and does nothing.
                let is_nothing = match permission {
                    "canJoin" => !is_reader,
                    "canLeave" => is_reader && can["canJoin"] == false,
                    _ => false,
                };
                let works = person.query(&format!("mutation {{ {ask} }}")).await.0.get("errors").is_none();
                let has_joined = permission == "canLeave" && can["canJoin"] == true;
                assert_eq!(can[permission], json!(works && !is_nothing && !has_joined), "{permission}, {name}");
                tried += 1;
                if permission == "canArchive" && works && state != State::Archived {
                    owner.query(&open).await.data("unarchiveChannel");
                }
            }
            assert_eq!(can["canAttach"], can["canPost"], "{name}");
        }
    }
    assert_eq!(tried, 11 * (7 * 4 - 2));
}

/// The same of one message: whose it is, and whether it is still there, counts too.
#[tokio::test]
async fn what_one_may_do_with_a_message_is_what_works_when_one_tries() {
    let server = TestServer::start().await;
    let mut people = Vec::new();
    for name in ["owner", "moderator", "member", "guest", "reader", "gone"] {
        people.push(server.register(name).await);
    }
    let [owner, moderator, member, guest, reader, gone] = people.try_into().ok().unwrap();
    let channel = owner.public_channel("Anywhere").await;
    for (role, people) in [("MODERATOR", &[&moderator][..]), ("MEMBER", &[&member, &gone]), ("GUEST", &[&guest])] {
        owner.add(&channel, people, role).await;
    }
    let send = async |author: &Actor, root: Option<&Value>| {
        let root = root.map(|root| root["id"].clone());
        author.write(json!({ "conversationId": channel, "content": "Hi", "threadRootId": root })).await
    };
    let mut of_gone = Vec::new();
    for _ in 0..5 * 5 {
        of_gone.push(send(&gone, None).await);
    }
    gone.leave(&channel).await;
    let mut tried = std::collections::BTreeMap::<_, usize>::new();
    for person in [&owner, &moderator, &member, &guest, &reader] {
        for kind in ["own", "of the owner", "of a member", "of one who left", "in a thread", "deleted"] {
            for (permission, ask) in [
                ("canReact", "addReaction(input: { messageId: $id, emoji: \"👍\" }) { seq }"),
                ("canPin", "pinMessage(input: { messageId: $id }) { seq }"),
                ("canEdit", "editMessage(input: { messageId: $id, content: \"Ho\" }) { seq }"),
                ("canDelete", "deleteMessage(input: { messageId: $id }) { seq }"),
                (
                    "canReply",
                    "sendMessage(input: { conversationId: $here, clientKey: $key, content: \"Hi\", threadRootId: $id }) {
                        isReplay }",
                ),
            ] {
                let message = match kind {
                    "own" if person.name == reader.name => continue,
                    "own" => send(person, None).await,
                    "of the owner" | "deleted" => send(&owner, None).await,
                    "of a member" => send(&member, None).await,
                    "of one who left" => of_gone.pop().unwrap(),
                    _ => send(&owner, Some(&send(&owner, None).await)).await,
                };
                let delete = "mutation($id: ID!) { deleteMessage(input: { messageId: $id }) { seq } }";
                if kind == "deleted" {
                    owner.ask(delete, json!({ "id": message["id"] })).await.data("deleteMessage");
                }
                let ask_can = "query($id: ID!) { message(id: $id) { viewerPermissions {
                    canEdit canDelete canPin canReact canReply } } }";
                let can = person.ask(ask_can, json!({ "id": message["id"] })).await.data("message");
                let key = uuid::Uuid::new_v4().to_string().replace('-', "");
                let ask = ask.replace("$id", &message["id"].to_string());
                let ask = ask.replace("$here", &format!("{channel:?}")).replace("$key", &format!("{key:?}"));
                let works = person.query(&format!("mutation {{ {ask} }}")).await.0.get("errors").is_none();
                // Deleting again works and does nothing.
                let is_nothing = permission == "canDelete" && kind == "deleted";
                let can = &can["viewerPermissions"][permission];
                assert_eq!(*can, json!(works && !is_nothing), "{permission} of {}, {kind}", person.name);
                *tried.entry((permission, works && !is_nothing)).or_default() += 1;
            }
        }
    }
    // Each of them somewhere works, and elsewhere not.
    assert_eq!(tried.len(), 2 * 5, "{tried:?}");
}

#[tokio::test]
async fn what_cannot_be_tried_yet_is_as_the_rules_say() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.public_channel("Anywhere").await;
    alice.add(&channel, &[&bob], "GUEST").await;
    for (who, may) in [
        (&alice, json!({ "canStartCall": true, "canMentionEveryone": true })),
        (&bob, json!({ "canStartCall": true, "canMentionEveryone": false })),
        (&carol, json!({ "canStartCall": false, "canMentionEveryone": false })),
    ] {
        let can = permissions(who, &channel).await;
        for (name, expected) in may.as_object().unwrap() {
            assert_eq!(can[name], *expected, "{name} of {}", who.name);
        }
    }
}

#[tokio::test]
async fn what_was_changed_a_moment_ago_counts_already() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    let ask = "mutation($id: ID!) {
        joined: joinChannel(input: { channelId: $id }) { channel { viewerPermissions { canJoin canLeave canPost } } }
        left: leaveConversation(input: { conversationId: $id }) {
            conversation { viewerPermissions { canJoin canLeave canPost } } }
        again: joinChannel(input: { channelId: $id }) { channel { viewerPermissions { canJoin canLeave canPost } } } }";
    let answer = bob.ask(ask, json!({ "id": channel })).await;
    let member = json!({ "canJoin": false, "canLeave": true, "canPost": true });
    assert_eq!(answer.data("joined")["channel"]["viewerPermissions"], member);
    let reader = json!({ "canJoin": true, "canLeave": false, "canPost": false });
    assert_eq!(answer.data("left")["conversation"]["viewerPermissions"], reader);
    assert_eq!(answer.data("again")["channel"]["viewerPermissions"], member);
    // And what others change, from the next event of a stream on.
    let follow = "subscription($id: ID!) { conversationEvents(conversationId: $id) { events {
        ... on ConversationArchivedEvent { conversation { viewerPermissions { canPost canLeave } } }
        ... on ConversationUpdatedEvent { conversation { viewerPermissions { canPost canLeave } } } } } }";
    let mut socket = bob.socket().await;
    let mut log = socket.run(follow, json!({ "id": channel }));
    log.batch().await;
    for (ask, may) in [
        ("updateChannel(input: { channelId: $id, postingRole: ADMIN })", json!({ "canPost": false, "canLeave": true })),
        ("updateChannel(input: { channelId: $id, postingRole: GUEST })", json!({ "canPost": true, "canLeave": true })),
        ("archiveChannel(input: { channelId: $id })", json!({ "canPost": false, "canLeave": true })),
    ] {
        let ask = format!("mutation($id: ID!) {{ done: {ask} {{ channel {{ id }} }} }}");
        alice.ask(&ask, json!({ "id": channel })).await.data("done");
        assert_eq!(log.batch().await["events"][0]["conversation"]["viewerPermissions"], may);
    }
}

#[tokio::test]
async fn a_list_with_permissions_costs_the_same_statements_however_long_it_is() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for number in 0..12 {
        let channel = alice.public_channel(&format!("Channel {number}")).await;
        if number % 2 == 0 {
            bob.join(&channel).await;
        }
    }
    let ask = "query($first: Int!) { channels(first: $first) { nodes { id viewerPermissions { canPost canJoin } } } }";
    let mut counts = Vec::new();
    for first in [1, 12] {
        let (statements, answer) = server.statements(bob.ask(ask, json!({ "first": first }))).await;
        assert_eq!(answer.data("channels")["nodes"].as_array().unwrap().len(), first);
        counts.push(statements.len());
    }
    assert_eq!(counts, [2, 2]);
}

#[tokio::test]
async fn what_one_may_on_the_server_goes_by_ones_role_there() {
    let server = TestServer::start().await;
    let (admin, moderator, user) =
        (server.register("admin").await, server.register("moderator").await, server.register("user").await);
    chinwag::users::promote(&server.app, "the-moderator", chinwag::users::ServerRole::Moderator).await.unwrap();
    for (person, can_moderate, can_administer) in
        [(&admin, true, true), (&moderator, true, false), (&user, false, false)]
    {
        let ask = "{ viewer { permissions { canCreateChannel canCreateGroup canOpenDirectConversation
            canUpload canSell canModerate canAdminister } } }";
        let mut can = person.query(ask).await.data("viewer")["permissions"].take();
        let roles = (can["canModerate"].take(), can["canAdminister"].take());
        assert_eq!(roles, (json!(can_moderate), json!(can_administer)), "{}", person.name);
        assert_eq!((&can["canUpload"], &can["canSell"]), (&json!(false), &json!(false)));
        for (permission, ask) in [
            ("canCreateChannel", "createChannel(input: { name: \"New\", visibility: PRIVATE }) { channel { id } }"),
            ("canCreateGroup", "createGroup(input: { name: \"New\", visibility: PRIVATE }) { group { id } }"),
            ("canOpenDirectConversation", "openDirectConversation(input: { userIds: [] }) { conversation { id } }"),
        ] {
            let answer = person.query(&format!("mutation {{ {ask} }}")).await;
            assert_eq!(can[permission], json!(answer.0.get("errors").is_none()), "{permission}: {answer:?}");
            assert_eq!(can[permission], json!(true), "{permission}");
        }
    }
}
