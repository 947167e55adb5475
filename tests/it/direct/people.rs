//! Adding, leaving and naming; and what nobody does to another.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{add, id, leave, names, open, people, seen, tables_agree};
use crate::harness::{Actor, Answer, Ended, TestServer};

async fn name(by: &Actor, conversation: &str, changes: Value) -> Answer {
    let ask = "mutation($input: UpdateDirectConversationInput!) { updateDirectConversation(input: $input) {
        conversation { id name title version } } }";
    let mut input = changes;
    input["conversationId"] = json!(conversation);
    by.ask(ask, json!({ "input": input })).await
}

#[tokio::test]
async fn adding_to_two_opens_another_one() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    let two = alice.direct_with(&[&bob]).await;
    alice.say(&two, "between us").await;
    let before = seen(&bob, &two).await;
    let added = add(&alice, &two, &[&bob, &carol]).await.data("addConversationMembers");
    let three = id(&added["conversation"]).to_owned();
    assert_ne!(three, two);
    assert_eq!((&added["conversation"]["memberCount"], &added["rejected"]), (&json!(3), &json!([])));
    assert_eq!(names(&added["members"]), ["bob", "carol"]);
    assert_eq!(seen(&bob, &two).await, before, "nothing has changed there");
    assert_eq!(seen(&carol, &two).await, json!(null));
    let ask = "query($id: ID!) { conversation(id: $id) { lastMessage { id } } }";
    let found = carol.ask(ask, json!({ "id": three })).await.data("conversation");
    assert_eq!(found, json!({ "lastMessage": null }));
    // It is the one that would be opened for them, so that doing it again, or from the other side, changes nothing.
    let before = server.database.contents().await;
    for who in [&alice, &bob] {
        let again = add(who, &two, &[&carol]).await.data("addConversationMembers");
        assert_eq!(id(&again["conversation"]), three);
    }
    assert_eq!(id(&open(&carol, &[&alice, &bob]).await.data("openDirectConversation")["conversation"]), three);
    // Nobody new: it stays where it is.
    let same = add(&bob, &two, &[&alice, &bob]).await.data("addConversationMembers");
    assert_eq!((id(&same["conversation"]), names(&same["members"])), (two.as_str(), vec!["alice", "bob"]));
    let mut nobody = server.anonymous();
    nobody.id = chinwag::id::encode("user", uuid::Uuid::new_v4());
    let same = add(&bob, &two, &[&nobody]).await.data("addConversationMembers");
    assert_eq!(id(&same["conversation"]), two);
    assert_eq!(same["rejected"], json!([{ "userId": nobody.id, "reason": "NOT_FOUND" }]));
    assert_eq!(server.database.contents().await, before);
    // Notes to oneself were for nobody else either.
    let notes = alice.direct_with(&[]).await;
    alice.say(&notes, "to myself").await;
    let added = add(&alice, &notes, &[&bob]).await.data("addConversationMembers");
    assert_eq!(id(&added["conversation"]), two);
    assert_eq!(seen(&alice, &notes).await["memberCount"], 1);
    tables_agree(&server).await;
}

#[tokio::test]
async fn those_who_are_added_to_several_see_what_was_said() {
    let server = TestServer::start().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    let direct = alice.direct_with(&[&bob, &carol]).await;
    let said = alice.say(&direct, "before Dave").await["seq"].as_i64().unwrap();
    let mut follower = bob.socket().await;
    let mut log = follower.follow(&direct, Some(said));
    log.batch().await;
    let added = add(&carol, &direct, &[&dave]).await.data("addConversationMembers");
    assert_eq!((id(&added["conversation"]), &added["conversation"]["memberCount"]), (direct.as_str(), &json!(4)));
    let event = &log.events_until(said + 1).await[0];
    assert_eq!((&event["__typename"], &event["user"]["username"]), (&json!("MemberJoinedEvent"), &json!("dave")));
    let history = dave.socket().await.follow(&direct, Some(0)).events_until(said + 1).await;
    assert!(history.iter().any(|event| event["message"]["content"] == "before Dave"));
    let ask = "query($id: ID!) { conversation(id: $id) { viewerState { unreadCount } } }";
    let kept = dave.ask(ask, json!({ "id": direct })).await.data("conversation");
    assert_eq!(kept["viewerState"]["unreadCount"], 0, "who joins has read everything");
    // It is a place of its own now: neither those three nor these four find it.
    for others in [vec![&bob, &carol], vec![&bob, &carol, &dave]] {
        let opened = open(&alice, &others).await.data("openDirectConversation");
        assert_eq!(opened["isNew"], true);
        assert_ne!(id(&opened["conversation"]), direct);
    }
    tables_agree(&server).await;
}

#[tokio::test]
async fn there_is_room_for_ten() {
    let server = TestServer::start().await;
    let all: Vec<String> = (0..12).map(|number| format!("person-{number:02}")).collect();
    let all = people(&server, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let [two, eight] = [&all[1..2], &all[1..8]].map(|others| others.iter().collect::<Vec<_>>());
    let (two, eight) = (all[0].direct_with(&two).await, all[0].direct_with(&eight).await);
    for (direct, newcomers, room) in [(&eight, &all[7..12], 2), (&two, &all[1..12], 8)] {
        let newcomers: Vec<_> = newcomers.iter().collect();
        let added = add(&all[0], direct, &newcomers).await.data("addConversationMembers");
        assert_eq!(added["conversation"]["memberCount"], 10);
        let kept: Vec<_> = newcomers[..=room].iter().map(|person| person.name.as_str()).collect();
        assert_eq!(names(&added["members"]), kept, "one was there, and they come in the order in which they are named");
        let full: Vec<_> = newcomers[room + 1..].iter().map(|p| json!({ "userId": p.id, "reason": "FULL" })).collect();
        assert_eq!(added["rejected"], json!(full));
    }
    tables_agree(&server).await;
}

#[tokio::test]
async fn whoever_leaves_is_told_so_and_nothing_more() {
    let server = TestServer::start().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    let direct = alice.direct_with(&[&bob, &carol, &dave]).await;
    name(&alice, &direct, json!({ "name": "The four" })).await.data("updateDirectConversation");
    let said = alice.say(&direct, "Hi").await["seq"].as_i64().unwrap();
    let (mut of_carol, mut of_bob) = (carol.socket().await, bob.socket().await);
    let (mut leaving, mut staying) = (of_carol.follow(&direct, Some(said)), of_bob.follow(&direct, Some(said)));
    leaving.batch().await;
    staying.batch().await;
    let left = leave(&dave, &direct).await.data("leaveConversation");
    assert_eq!(left, json!({ "conversationId": direct, "conversation": null }));
    assert_eq!(seen(&dave, &direct).await, json!(null));
    assert_eq!(leave(&dave, &direct).await.code(), "NOT_FOUND");
    assert_eq!(seen(&alice, &direct).await["name"], "The four", "three may have a name");
    assert_eq!(leaving.events_until(said + 1).await[0]["user"]["username"], "dave");
    leave(&carol, &direct).await.data("leaveConversation");
    let last = leaving.batch().await;
    let kinds = |events: &[Value]| events.iter().map(|event| event["__typename"].clone()).collect::<Vec<_>>();
    assert_eq!(kinds(last["events"].as_array().unwrap()), ["MemberLeftEvent"]);
    assert_eq!(leaving.end().await, Ended::Complete);
    // Two are left, who are named after each other.
    let events = staying.events_until(said + 3).await;
    assert_eq!(kinds(&events), ["MemberLeftEvent", "MemberLeftEvent", "ConversationUpdatedEvent"]);
    assert_eq!(events[2]["changedFields"], json!(["name"]));
    assert_eq!(events[2]["conversation"]["name"], json!(null));
    let two = seen(&alice, &direct).await;
    assert_eq!((&two["name"], &two["title"], &two["version"]), (&json!(null), &json!("bob"), &json!(3)));
    // They do not find it: it is not what was said between them alone.
    assert_ne!(alice.direct_with(&[&bob]).await, direct);
    assert_ne!(alice.direct_with(&[&bob, &carol, &dave]).await, direct);
    tables_agree(&server).await;
}

#[tokio::test]
async fn nobody_leaves_two_or_names_it_and_hiding_does() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    let shrunk = alice.direct_with(&[&bob, &carol]).await;
    leave(&carol, &shrunk).await.data("leaveConversation");
    let (two, notes) = (alice.direct_with(&[&bob]).await, alice.direct_with(&[]).await);
    let before = server.database.contents().await;
    for direct in [&two, &shrunk, &notes] {
        for answer in [leave(&alice, direct).await, name(&alice, direct, json!({ "name": "Ours" })).await] {
            assert_eq!(answer.code(), "FAILED_PRECONDITION");
            assert_eq!(answer.0["errors"][0]["extensions"]["reason"], "OF_TWO");
        }
    }
    assert_eq!(server.database.contents().await, before);
    let hide = "mutation($id: ID!) { updateConversationViewerState(input: { conversationId: $id, isHidden: true }) {
        viewerState { isHidden } } }";
    let inbox = async |hidden: bool| {
        let ask = format!("{{ viewer {{ conversations(filter: {{ isHidden: {hidden} }}) {{ nodes {{ id }} }} }} }}");
        let found = alice.query(&ask).await.data("viewer")["conversations"]["nodes"].clone();
        found.as_array().unwrap().iter().any(|node| node["id"] == *two)
    };
    alice.ask(hide, json!({ "id": two })).await.data("updateConversationViewerState");
    assert_eq!((inbox(false).await, inbox(true).await), (false, true));
    bob.say(&two, "Are you there?").await;
    assert_eq!((inbox(false).await, inbox(true).await), (true, false));
    // Who was among them and comes back comes to another one.
    let added = add(&alice, &shrunk, &[&carol]).await.data("addConversationMembers");
    assert_ne!(id(&added["conversation"]), shrunk);
}

#[tokio::test]
async fn any_of_three_names_it() {
    let server = TestServer::start().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    let direct = alice.direct_with(&[&bob, &carol]).await;
    let mut socket = carol.socket().await;
    let mut log = socket.follow(&direct, None);
    let from = log.batch().await["seq"].as_i64().unwrap();
    let named = name(&bob, &direct, json!({ "name": "  The three ", "expectedVersion": 1 })).await;
    let named = named.data("updateDirectConversation")["conversation"].clone();
    assert_eq!(named, json!({ "id": direct, "name": "The three", "title": "The three", "version": 2 }));
    let event = &log.events_until(from + 1).await[0];
    assert_eq!(
        (&event["__typename"], &event["actor"]["username"]),
        (&json!("ConversationUpdatedEvent"), &json!("bob"))
    );
    assert_eq!(event["changedFields"], json!(["name"]));
    assert_eq!(event["conversation"], json!({ "id": direct, "name": "The three", "version": 2 }));
    for same in [json!({ "name": "The three" }), json!({}), json!({ "expectedVersion": 2 })] {
        let same = name(&alice, &direct, same).await.data("updateDirectConversation");
        assert_eq!(same["conversation"]["version"], 2);
    }
    let stale = name(&alice, &direct, json!({ "name": "Another", "expectedVersion": 1 })).await;
    assert_eq!(stale.code(), "VERSION_CONFLICT");
    assert_eq!(stale.0["errors"][0]["extensions"]["currentVersion"], 2);
    for (bad, fault) in [("", "REQUIRED"), (&"x".repeat(81), "TOO_LONG"), ("a\0", "BAD_FORMAT"), ("a\nb", "BAD_FORMAT")]
    {
        let answer = name(&alice, &direct, json!({ "name": bad })).await;
        assert_eq!(answer.wrong_fields(), [format!("input.name {fault}")]);
    }
    let channel = alice.public_channel("Anywhere").await;
    let answer = name(&alice, &channel, json!({ "name": "" })).await;
    assert_eq!(answer.wrong_fields(), ["input.conversationId BAD_FORMAT", "input.name REQUIRED"]);
    let cleared = name(&carol, &direct, json!({ "name": null })).await.data("updateDirectConversation");
    assert_eq!(cleared["conversation"]["version"], 3);
    assert!(["alice, bob", "bob, alice"].contains(&cleared["conversation"]["title"].as_str().unwrap()));
    // A name is found by the people all the same.
    assert_eq!(bob.direct_with(&[&alice, &carol]).await, direct);
}

#[tokio::test]
async fn all_are_alike_and_nobody_removes_another() {
    let server = TestServer::start().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    let direct = alice.direct_with(&[&bob, &carol]).await;
    let (seat, message) = (alice.seat_of(&direct, &bob).await, bob.say(&direct, "Hi").await["id"].clone());
    let before = server.database.contents().await;
    // Alice opened it, and runs the server.
    for ask in [
        format!("removeConversationMember(input: {{ memberId: {seat:?} }}) {{ memberId }}"),
        format!("updateConversationMember(input: {{ memberId: {seat:?}, role: ADMIN }}) {{ member {{ id }} }}"),
        format!("updateConversationMember(input: {{ memberId: {seat:?}, role: GUEST }}) {{ member {{ id }} }}"),
        format!("transferConversationOwnership(input: {{ memberId: {seat:?} }}) {{ owner {{ id }} }}"),
        format!("deleteMessage(input: {{ messageId: {message} }}) {{ seq }}"),
        format!("editMessage(input: {{ messageId: {message}, content: \"Ho\" }}) {{ seq }}"),
        format!(
            "addConversationMembers(input: {{ conversationId: {direct:?}, userIds: [{:?}], role: GUEST }}) {{ members {{ id }} }}",
            dave.id
        ),
        format!(
            "addConversationMembers(input: {{ conversationId: {direct:?}, userIds: [{:?}], role: ADMIN }}) {{ members {{ id }} }}",
            dave.id
        ),
    ] {
        assert_eq!(alice.query(&format!("mutation {{ {ask} }}")).await.code(), "FORBIDDEN", "{ask}");
    }
    for ask in ["archiveChannel", "unarchiveChannel", "joinChannel", "updateChannel"] {
        let ask = format!("mutation {{ {ask}(input: {{ channelId: {direct:?} }}) {{ channel {{ id }} }} }}");
        assert_eq!(alice.query(&ask).await.wrong_fields(), ["input.channelId BAD_FORMAT"]);
    }
    assert_eq!(server.database.contents().await, before);
}

// At once.

#[tokio::test]
async fn of_three_who_leave_at_once_two_stay() {
    let server = TestServer::start().await;
    let another = server.another().await;
    let [alice, bob, carol] = people(&server, &["alice", "bob", "carol"]).await.try_into().ok().unwrap();
    for _ in 0..8 {
        let direct = alice.direct_with(&[&bob, &carol]).await;
        name(&alice, &direct, json!({ "name": "Ours" })).await.data("updateDirectConversation");
        let there = bob.at(another.address);
        let answers = join_all([&alice, &there, &carol].map(|person| leave(person, &direct))).await;
        let (left, stayed): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.0.get("errors").is_none());
        assert_eq!((left.len(), stayed.len()), (1, 2));
        assert!(stayed.iter().all(|answer| answer.code() == "FAILED_PRECONDITION"));
        tables_agree(&server).await;
    }
}

#[tokio::test]
async fn whoever_is_added_while_somebody_leaves_comes_to_three_or_to_another_one() {
    let server = TestServer::start().await;
    let another = server.another().await;
    let [alice, bob, carol, dave] = people(&server, &["alice", "bob", "carol", "dave"]).await.try_into().ok().unwrap();
    for _ in 0..12 {
        let direct = alice.direct_with(&[&bob, &carol]).await;
        alice.say(&direct, "among three").await;
        let there = carol.at(another.address);
        let whom = [&dave];
        let (added, left) = tokio::join!(add(&alice, &direct, &whom), leave(&there, &direct));
        left.data("leaveConversation");
        let added = added.data("addConversationMembers");
        assert_eq!(names(&added["members"]), ["dave"]);
        // Of two it would have been when Carol was faster, and what two say is said to nobody else.
        let is_another = id(&added["conversation"]) != direct;
        assert_eq!(seen(&dave, &direct).await.is_null(), is_another);
        let expected = if is_another { vec!["alice", "bob"] } else { vec!["alice", "bob", "dave"] };
        assert_eq!(names(&seen(&bob, &direct).await["participants"]), expected);
        assert_eq!(seen(&carol, &direct).await, json!(null));
        tables_agree(&server).await;
    }
}

#[tokio::test]
async fn those_who_add_at_once_do_not_overfill_it() {
    let server = TestServer::start().await;
    let another = server.another().await;
    let all: Vec<String> = (0..16).map(|number| format!("person-{number:02}")).collect();
    let all = people(&server, &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let direct = all[0].direct_with(&[&all[1], &all[2]]).await;
    let adders = [all[0].clone(), all[1].at(another.address), all[2].clone()];
    let answers =
        join_all(all[3..].iter().enumerate().map(async |(number, whom)| {
            add(&adders[number % 3], &direct, &[whom]).await.data("addConversationMembers")
        }))
        .await;
    assert_eq!(answers.iter().filter(|added| added["rejected"] == json!([])).count(), 7);
    assert!(answers.iter().filter_map(|added| added["rejected"].get(0)).all(|rejected| rejected["reason"] == "FULL"));
    assert_eq!(seen(&all[0], &direct).await["memberCount"], 10);
    tables_agree(&server).await;
    // And two who bring the same third to what is theirs open one.
    let [a, b, c] = [&all[3], &all[4], &all[5]];
    let (mine, theirs) = (a.direct_with(&[b]).await, a.direct_with(&[c]).await);
    let (with_c, with_b, there) = ([c], [b], b.at(another.address));
    let (one, two, three) = tokio::join!(add(a, &mine, &with_c), add(a, &theirs, &with_b), add(&there, &mine, &with_c));
    let ids = [one, two, three].map(|answer| id(&answer.data("addConversationMembers")["conversation"]).to_owned());
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    tables_agree(&server).await;
}
