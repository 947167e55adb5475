//! Channels and their members.

use serde_json::{Value, json};

use crate::harness::{Actor, TestServer};

const CREATE: &str = "mutation($input: CreateChannelInput!) { createChannel(input: $input) {
    isReplay channel { id name slug visibility memberCount createdBy { username } } } }";
const ADD: &str = "mutation($input: AddConversationMembersInput!) { addConversationMembers(input: $input) {
    conversation { memberCount } members { user { username } role addedBy { username } } rejected { userId reason } } }";

async fn create(actor: &Actor, input: Value) -> crate::harness::Answer {
    actor.ask(CREATE, json!({ "input": input })).await
}

#[tokio::test]
async fn a_channel_has_an_address_made_from_its_name() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut slugs = Vec::new();
    for name in ["Release planning", "Release  Planning!", "日", "Ünï"] {
        slugs.push(create(&alice, json!({ "name": name })).await.data("createChannel")["channel"]["slug"].clone());
    }
    assert_eq!(slugs[..2], [json!("release-planning"), json!("release-planning-2")]);
    assert_eq!(slugs[3], "uni");
    assert_eq!(create(&alice, json!({ "name": "x", "slug": "uni" })).await.code(), "CONFLICT");
    let found = alice.query(
        "{ channel(by: { slug: \"release-planning\" }) { name } nothing: channel(by: { slug: \"no\" }) { id } }",
    );
    let found = found.await;
    assert_eq!((found.data("channel"), found.data("nothing")), (json!({ "name": "Release planning" }), json!(null)));
    // What is private has none: a conflict would betray it.
    let private = json!({ "name": "Secret", "visibility": "PRIVATE" });
    assert_eq!(create(&alice, private).await.data("createChannel")["channel"]["slug"], json!(null));
    let private = json!({ "name": "Secret", "slug": "secret", "visibility": "PRIVATE" });
    assert_eq!(create(&alice, private).await.wrong_fields(), ["input.slug NOT_ALLOWED"]);
}

#[tokio::test]
async fn a_creation_sent_again_creates_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let input = json!({ "name": "Once", "clientKey": "a key of mine", "memberIds": [bob.id] });
    let calls = futures_util::future::join_all((0..4).map(|_| create(&alice, input.clone()))).await;
    let channels: Vec<Value> = calls.iter().map(|call| call.data("createChannel")).collect();
    assert_eq!(channels.iter().filter(|payload| payload["isReplay"] == false).count(), 1, "{channels:?}");
    assert!(channels.iter().all(|payload| payload["channel"] == channels[0]["channel"]));
    assert_eq!(channels[0]["channel"]["memberCount"], 2);
    let other = json!({ "name": "Twice", "clientKey": "a key of mine" });
    assert_eq!(create(&alice, other).await.code(), "IDEMPOTENCY_KEY_REUSED");
    // Keys are each one's own.
    create(&bob, json!({ "name": "Bob's", "clientKey": "a key of mine" })).await.data("createChannel");
}

#[tokio::test]
async fn strangers_do_not_see_a_private_channel() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.private_channel("Secret", &[]).await;
    let message = alice.say(&channel, "a secret").await;
    let look = "query($id: ID!, $message: ID!) { conversation(id: $id) { id } node(id: $id) { id }
        channel(by: { id: $id }) { id } message(id: $message) { id } channels { nodes { id } } }";
    let variables = json!({ "id": channel, "message": message["id"] });
    let seen = mallory.ask(look, variables.clone()).await;
    for field in ["conversation", "node", "channel", "message"] {
        assert_eq!(seen.data(field), json!(null), "{field}");
    }
    assert_eq!(seen.data("channels")["nodes"], json!([]));
    // And the set-up means something.
    assert_eq!(alice.ask(look, variables).await.data("message")["id"], message["id"]);
}

#[tokio::test]
async fn those_who_cannot_be_added_come_back_with_the_reason() {
    let server = TestServer::start().await;
    let (alice, bob, carol) =
        (server.register("alice").await, server.register("bob").await, server.register("carol").await);
    let channel = alice.private_channel("Ours", &[&bob]).await;
    let nobody = "user_00000000000000000000000001";
    let input =
        json!({ "conversationId": channel, "userIds": [carol.id, nobody, bob.id, carol.id], "role": "MODERATOR" });
    let added = alice.ask(ADD, json!({ "input": input })).await.data("addConversationMembers");
    assert_eq!(added["conversation"]["memberCount"], 3);
    assert_eq!(
        added["members"],
        json!([
            { "user": { "username": "carol" }, "role": "MODERATOR", "addedBy": { "username": "alice" } },
            { "user": { "username": "bob" }, "role": "MEMBER", "addedBy": { "username": "alice" } },
        ])
    );
    assert_eq!(added["rejected"], json!([{ "userId": nobody, "reason": "NOT_FOUND" }]));
    // Members of a private channel do not add others; strangers do not even find it.
    let input = json!({ "conversationId": channel, "userIds": [nobody] });
    assert_eq!(bob.ask(ADD, json!({ "input": input })).await.code(), "FORBIDDEN");
    let dave = server.register("dave").await;
    assert_eq!(dave.ask(ADD, json!({ "input": input })).await.code(), "NOT_FOUND");
}

#[tokio::test]
async fn members_are_listed_by_role_and_then_by_when_they_joined() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let mut people = Vec::new();
    for name in ["bob", "carol", "dave", "erin"] {
        people.push(server.register(name).await);
    }
    let channel = alice.public_channel("Anywhere").await;
    for person in people.iter().rev() {
        person.join(&channel).await;
    }
    let frank = server.register("frank").await;
    let input = json!({ "conversationId": channel, "userIds": [frank.id], "role": "ADMIN" });
    alice.ask(ADD, json!({ "input": input })).await.data("addConversationMembers");
    let query = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
        members(first: $first, after: $after, last: $last, before: $before) { nodes { user { username } }
            pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } } }";
    let (mut names, mut after) = (Vec::new(), json!(null));
    loop {
        let variables = json!({ "id": channel, "first": 2, "after": after });
        let page = alice.ask(query, variables).await.data("conversation")["members"].clone();
        names.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["user"]["username"].clone()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(names, ["alice", "frank", "erin", "dave", "carol", "bob"]);
    let variables = json!({ "id": channel, "last": 2, "before": after });
    let back = alice.ask(query, variables).await.data("conversation")["members"]["nodes"].clone();
    assert_eq!(back, json!([{ "user": { "username": "dave" } }, { "user": { "username": "carol" } }]));
}

#[tokio::test]
async fn channels_are_listed_by_name_joined_or_not() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for name in ["beta", "Alpha", "ΟΔΟΣ", "İstanbul", "gamma"] {
        alice.public_channel(name).await;
    }
    let hidden = alice.private_channel("a secret", &[]).await;
    let shared = alice.private_channel("delta", &[&bob]).await;
    let names = async |filter: &str| {
        let (mut names, mut after) = (Vec::new(), json!(null));
        loop {
            let query = format!(
                "query($after: String) {{ channels({filter} first: 1, after: $after) {{
                nodes {{ name }} pageInfo {{ endCursor hasNextPage }} }} }}"
            );
            let page = bob.ask(&query, json!({ "after": after })).await.data("channels");
            names
                .extend(page["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned()));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                names.sort();
                return names;
            }
            assert!(names.len() < 10, "a page repeats: {names:?}");
        }
    };
    assert_eq!(names("").await, ["Alpha", "beta", "delta", "gamma", "İstanbul", "ΟΔΟΣ"]);
    assert_eq!(names("filter: { isJoined: true },").await, ["delta"]);
    assert_eq!(names("filter: { visibility: PUBLIC, isJoined: false },").await.len(), 5);
    assert_ne!(hidden, shared);
}

#[tokio::test]
async fn an_owner_does_not_just_leave_and_others_leave_and_come_back_to_a_new_seat() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let channel = alice.public_channel("Anywhere").await;
    bob.join(&channel).await;
    let leave = "mutation($id: ID!) { leaveConversation(input: { conversationId: $id }) { conversationId } }";
    let refused = alice.ask(leave, json!({ "id": channel })).await;
    assert_eq!(refused.code(), "FAILED_PRECONDITION");
    assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "OWNER");
    let seat = alice.seat_of(&channel, &bob).await;
    for _ in 0..2 {
        bob.leave(&channel).await;
    }
    bob.join(&channel).await;
    bob.join(&channel).await;
    assert_ne!(alice.seat_of(&channel, &bob).await, seat);
    assert_eq!(server.database.count("SELECT last_seq::bigint FROM conversations").await, 4);
    let count = alice.ask("query($id: ID!) { conversation(id: $id) { memberCount } }", json!({ "id": channel })).await;
    assert_eq!(count.data("conversation")["memberCount"], 2);
}

#[tokio::test]
async fn nobody_writes_after_their_removal() {
    let server = TestServer::start().await;
    let (alice, mallory) = (server.register("alice").await, server.register("mallory").await);
    let channel = alice.public_channel("Anywhere").await;
    let remove = "mutation($id: ID!) { removeConversationMember(input: { memberId: $id }) { memberId } }";
    let writing = {
        let (mallory, channel) = (mallory.clone(), channel.clone());
        tokio::spawn(async move {
            for number in 0..60 {
                let input =
                    json!({ "conversationId": channel, "clientKey": format!("number {number}"), "content": "!" });
                let send = "mutation($input: SendMessageInput!) { sendMessage(input: $input) { message { seq } } }";
                mallory.ask(send, json!({ "input": input })).await;
            }
        })
    };
    for _ in 0..8 {
        mallory.join(&channel).await;
        let seat = alice.seat_of(&channel, &mallory).await;
        alice.ask(remove, json!({ "id": seat })).await.data("removeConversationMember");
    }
    writing.await.unwrap();
    // Between a departure and the next arrival stands no message.
    let trespassing = "SELECT count(*) FROM (
        SELECT kind, (SELECT e.kind FROM conversation_events e WHERE e.conversation_id = m.conversation_id
            AND e.seq < m.seq AND e.kind IN (10, 11) ORDER BY e.seq DESC LIMIT 1) AS before
        FROM conversation_events m WHERE m.kind = 1) sent WHERE before = 11";
    assert_eq!(server.database.count(trespassing).await, 0);
    let gaps = "SELECT max(seq)::bigint - count(*) FROM conversation_events";
    assert_eq!(server.database.count(gaps).await, 0);
}

#[tokio::test]
async fn channels_are_found_by_a_part_of_their_name_or_topic() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for (name, topic) in [
        ("Release planning", json!(null)),
        ("Deutsch", json!("Was ist eine GRÖSSE, 100% genau?")),
        ("a_b_c", json!("underscores")),
        ("aXbXc", json!(null)),
        (r"back\slash", json!("What is released, and when")),
    ] {
        alice.create_channel(json!({ "name": name, "topic": topic })).await;
    }
    let hidden = json!({ "name": "Release secrets", "visibility": "PRIVATE" });
    alice.create_channel(hidden).await;
    let found = async |who: &Actor, filter: Value| {
        let ask = "query($filter: ChannelFilter) { channels(filter: $filter) { nodes { name } } }";
        let page = who.ask(ask, json!({ "filter": filter })).await.data("channels");
        let nodes = page["nodes"].as_array().unwrap().clone();
        nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (search, names) in [
        ("RELEASE", &[r"back\slash", "Release planning"][..]),
        (" planning ", &["Release planning"]),
        ("gröSSe", &["Deutsch"]),
        ("100%", &["Deutsch"]),
        ("%%%", &[]),
        ("a_b", &["a_b_c"]),
        (r"k\s", &[r"back\slash"]),
        ("nothing of that", &[]),
    ] {
        assert_eq!(found(&bob, json!({ "search": search })).await, names, "{search}");
    }
    assert_eq!(found(&alice, json!({ "search": "release" })).await.len(), 3);
    assert_eq!(found(&alice, json!({ "search": "release", "visibility": "PRIVATE" })).await, ["Release secrets"]);
    assert_eq!(found(&bob, json!({ "kinds": ["CHANNEL"] })).await.len(), 5);
    assert_eq!(found(&bob, json!({ "kinds": ["DIRECT"] })).await, Vec::<String>::new());
}

#[tokio::test]
async fn channels_are_listed_in_the_order_that_is_asked_for_in_pages_both_ways() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    // Some at the same instant: the id settles it.
    for (number, name) in ["delta", "Alpha", "echo", "bravo", "charlie"].into_iter().enumerate() {
        alice.public_channel(name).await;
        if number % 2 == 0 {
            server.clock.advance(chrono::TimeDelta::seconds(1));
        }
    }
    let twins = "UPDATE conversations SET created_at = (SELECT max(created_at) FROM conversations)
        WHERE id IN (SELECT conversation_id FROM channels WHERE name IN ('bravo', 'charlie'))";
    server.database.execute(twins).await;
    let read = async |field: &str, direction: &str, is_forward: bool| {
        let (mut names, mut at) = (Vec::new(), json!(null));
        loop {
            let page = if is_forward { "first: 2, after: $at" } else { "last: 2, before: $at" };
            let ask = format!(
                "query($at: String) {{ channels(orderBy: {{ field: {field}, direction: {direction} }}, {page}) {{
                nodes {{ name }} pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }} }} }}"
            );
            let page = alice.ask(&ask, json!({ "at": at })).await.data("channels");
            let nodes = page["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap().to_owned());
            let (cursor, more) = match is_forward {
                true => ("endCursor", "hasNextPage"),
                false => ("startCursor", "hasPreviousPage"),
            };
            match is_forward {
                true => names.extend(nodes),
                false => names = nodes.chain(names).collect(),
            }
            at = page["pageInfo"][cursor].clone();
            if page["pageInfo"][more] == false {
                return names;
            }
            assert!(names.len() < 10, "a page repeats: {names:?}");
        }
    };
    let by_name = ["Alpha", "bravo", "charlie", "delta", "echo"].map(str::to_owned);
    let by_creation = ["delta", "Alpha", "echo", "bravo", "charlie"].map(str::to_owned);
    for (field, ascending) in [("NAME", by_name), ("CREATED_AT", by_creation)] {
        let descending: Vec<String> = ascending.iter().rev().cloned().collect();
        for is_forward in [true, false] {
            assert_eq!(read(field, "ASC", is_forward).await, ascending, "{field}");
            assert_eq!(read(field, "DESC", is_forward).await, descending, "{field}");
        }
    }
}

#[tokio::test]
async fn members_are_found_by_name_role_and_how_far_they_have_read() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let mut people = Vec::new();
    for name in ["anna", "andrew", "a_n", "bob", "carol"] {
        let person = server.register(name).await;
        person.join(&channel).await;
        people.push(person);
    }
    let rename = "UPDATE users SET display_name = 'Änne Andersen' WHERE username = 'carol'";
    server.database.execute(rename).await;
    let found = async |filter: Value| {
        let (mut names, mut after) = (Vec::new(), json!(null));
        loop {
            let ask = "query($id: ID!, $filter: MemberFilter, $after: String) { conversation(id: $id) {
                members(filter: $filter, first: 2, after: $after) {
                    nodes { user { username } } pageInfo { endCursor hasNextPage } } } }";
            let variables = json!({ "id": channel, "filter": filter, "after": after });
            let page = alice.ask(ask, variables).await.data("conversation")["members"].clone();
            let nodes = page["nodes"].as_array().unwrap();
            names.extend(nodes.iter().map(|node| node["user"]["username"].as_str().unwrap().to_owned()));
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                return names;
            }
            // A page that is not the last one is full.
            assert_eq!(nodes.len(), 2);
        }
    };
    assert_eq!(found(json!({ "search": "An" })).await, ["anna", "andrew"]);
    assert_eq!(found(json!({ "search": "änne" })).await, ["carol"]);
    assert_eq!(found(json!({ "search": "a_" })).await, ["a_n"]);
    assert_eq!(found(json!({ "search": "ob" })).await, Vec::<String>::new());
    assert_eq!(found(json!({ "search": "" })).await.len(), 6);
    assert_eq!(found(json!({ "roles": ["OWNER", "GUEST"] })).await, ["alice"]);
    assert_eq!(found(json!({ "roles": [] })).await, Vec::<String>::new());
    // Who writes has read; who came last has read all before.
    let seq = people[1].say(&channel, "Hi").await["seq"].clone();
    people[3].say(&channel, "Hi").await;
    assert_eq!(found(json!({ "hasReadSeq": seq })).await, ["andrew", "bob"]);
    assert_eq!(found(json!({ "hasReadSeq": seq, "search": "b", "roles": ["MEMBER"] })).await, ["bob"]);
    // Andrew has preferences too, and shares.
    people[1].prefer(json!({ "theme": "DARK" })).await;
    people[3].prefer(json!({ "privacy": { "sharesReadPosition": false } })).await;
    assert_eq!(found(json!({ "hasReadSeq": seq })).await, ["andrew"]);
}

#[tokio::test]
async fn members_come_in_their_order_from_an_index() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("Anywhere").await;
    let (_, id) = chinwag::id::decode(&channel).unwrap();
    let crowd = format!(
        "INSERT INTO users (id, username, display_name, role, is_claimed, version, created_at, updated_at)
            SELECT gen_random_uuid(), 'user' || n, 'User ' || n, 'USER', true, 1, now(), now()
            FROM generate_series(1, 3000) n;
        INSERT INTO conversation_members (conversation_id, user_id, id, role, joined_at, last_read_seq, last_read_no)
            SELECT '{id}', id, gen_random_uuid(), CASE WHEN username < 'user2' THEN 'GUEST' ELSE 'MEMBER' END,
                now() - random() * interval '1 day', 0, 0
            FROM users WHERE username LIKE 'user%';
        ANALYZE"
    );
    server.database.execute(&crowd).await;
    let first = "query($id: ID!, $after: String) { conversation(id: $id) {
        members(first: 100, after: $after) { pageInfo { endCursor } } } }";
    let page = alice.ask(first, json!({ "id": channel })).await.data("conversation")["members"].clone();
    let variables = json!({ "id": channel, "after": page["pageInfo"]["endCursor"] });
    let (statements, _) = server.statements(alice.ask(first, variables)).await;
    let list = statements.iter().find(|sql| sql.contains("ORDER BY")).unwrap_or_else(|| panic!("{statements:#?}"));
    let plan = format!(
        "PREPARE list AS {list}; SET plan_cache_mode = force_generic_plan;
        EXPLAIN EXECUTE list ('{id}', 4, now(), '{id}', 101)"
    );
    let plan: Vec<String> = server.database.rows(&plan).await.into_iter().flatten().collect();
    let plan = plan.join("\n");
    assert!(plan.contains("conversation_members_order_idx"), "{plan}");
    assert!(!plan.contains("Sort") && !plan.contains("Seq Scan"), "{plan}");
}
