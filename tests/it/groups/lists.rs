//! Groups, members and channels in pages, at the same cost however many there are.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{admit, category, channel, done, found, join, private_group, public_group, text};
use crate::harness::{Actor, TestServer};

/// All of a list, page by page, and then back again.
async fn walked(by: &Actor, list: &str, pointer: &str, name: &str) -> Vec<String> {
    let mut both = Vec::new();
    for (size, cursor, end, more) in
        [("first", "after", "endCursor", "hasNextPage"), ("last", "before", "startCursor", "hasPreviousPage")]
    {
        let (mut all, mut at) = (Vec::new(), json!(null));
        loop {
            let page = list.replace("<page>", &format!("{size}: 2, {cursor}: $at"));
            let answer = by.ask(&format!("query($at: String) {{ {page} }}"), json!({ "at": at })).await;
            assert!(answer.0.get("errors").is_none(), "{answer:?}");
            let page = answer.0["data"].pointer(pointer).unwrap().clone();
            let mut names: Vec<_> =
                page["nodes"].as_array().unwrap().iter().map(|node| text(node.pointer(name).unwrap())).collect();
            match size {
                "first" => all.extend(names),
                _ => {
                    names.extend(all);
                    all = names;
                }
            }
            if page["pageInfo"][more] == false {
                break;
            }
            at = page["pageInfo"][end].clone();
        }
        both.push(all);
    }
    assert_eq!(both[0], both[1]);
    both.remove(0)
}

const PAGE: &str = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";

#[tokio::test]
async fn groups_are_listed_by_name_and_filtered() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for name in ["Delta", "alpha", "Beta", "beta", "Gamma"] {
        public_group(&alice, name).await;
    }
    let (mine, hidden) = (public_group(&bob, "Epsilon").await, private_group(&bob, "Hidden").await);
    private_group(&alice, "Other hidden").await;
    let list = format!("groups(<page>) {{ nodes {{ name }} {PAGE} }}");
    let names = walked(&bob, &list, "/groups", "/name").await;
    assert_eq!(names.len(), 7);
    assert_eq!(
        names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>(),
        ["alpha", "beta", "beta", "delta", "epsilon", "gamma", "hidden"]
    );
    let own = format!("viewer {{ groups(<page>) {{ nodes {{ name }} {PAGE} }} }}");
    assert_eq!(walked(&bob, &own, "/viewer/groups", "/name").await, ["Epsilon", "Hidden"]);
    done(&bob, "updateGroup", json!({ "groupId": mine, "description": "All about alphabets" }), "group { id }").await;
    done(&bob, "archiveGroup", json!({ "groupId": hidden }), "group { id }").await;
    for (filter, expected) in [
        ("isJoined: true", &["Epsilon"][..]),
        ("isJoined: false, search: \"alph\"", &["alpha"]),
        ("search: \"ALPH\"", &["alpha", "Epsilon"]),
        ("visibility: PRIVATE", &[]),
        ("isArchived: true", &["Hidden"]),
        ("search: \"100%\"", &[]),
    ] {
        let list = format!("groups(filter: {{ {filter} }}, <page>) {{ nodes {{ name }} {PAGE} }}");
        assert_eq!(walked(&bob, &list, "/groups", "/name").await, expected, "{filter}");
    }
    // What is archived is still one's own.
    assert_eq!(walked(&bob, &own, "/viewer/groups", "/name").await, ["Epsilon", "Hidden"]);
    let short = bob.query("{ groups(filter: { search: \"al\" }) { nodes { id } } }").await;
    assert_eq!(short.wrong_fields(), ["filter.search TOO_SHORT"]);
}

#[tokio::test]
async fn members_are_listed_by_role_and_filtered() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let group = public_group(&alice, "Gardeners").await;
    let mut people = Vec::new();
    for name in ["bob", "bert", "carol", "dan", "eve"] {
        people.push(server.register(name).await);
    }
    admit(&alice, &group, &[&people[0], &people[1]], "MEMBER").await;
    admit(&alice, &group, &[&people[2]], "ADMIN").await;
    admit(&alice, &group, &[&people[3]], "GUEST").await;
    server.clock.advance(chrono::TimeDelta::minutes(1));
    join(&people[4], &group).await.data("joinGroup");
    let members = |filter: &str| {
        format!(
            "group(by: {{ id: {group:?} }}) {{ members({filter} <page>) {{ nodes {{ user {{ username }} }} {PAGE} }} }}"
        )
    };
    let listed = async |filter: &str| walked(&alice, &members(filter), "/group/members", "/user/username").await;
    let all = listed("").await;
    assert_eq!(
        (&all[..2], &all[4..]),
        (&["alice".to_owned(), "carol".to_owned()][..], &["eve".to_owned(), "dan".to_owned()][..])
    );
    assert_eq!(all.len(), 6);
    assert_eq!(listed("filter: { search: \"b\" },").await.len(), 2);
    assert_eq!(listed("filter: { roles: [ADMIN, GUEST] },").await, ["carol", "dan"]);
    let _here = people[4].socket().await;
    assert_eq!(listed("filter: { statuses: [ONLINE] },").await, ["eve"]);
    let wrong =
        format!("{{ group(by: {{ id: {group:?} }}) {{ members(filter: {{ hasReadSeq: 1 }}) {{ nodes {{ id }} }} }} }}");
    assert_eq!(alice.query(&wrong).await.wrong_fields(), ["filter.hasReadSeq NOT_ALLOWED"]);
}

#[tokio::test]
async fn channels_come_in_display_order() {
    let server = TestServer::start().await;
    let root = server.register("ruth").await;
    let group = private_group(&root, "Gardeners").await;
    for group in [None, Some(group.as_str())] {
        let prefix = group.map_or("s", |_| "g");
        let (one, two) = (category(&root, group, "One").await, category(&root, group, "Two").await);
        for (name, heading) in [("2a", Some(&two)), ("1a", Some(&one)), ("0a", None), ("1b", Some(&one)), ("0b", None)]
        {
            let input = json!({ "groupId": group, "name": format!("{prefix}{name}"), "categoryId": heading });
            root.create_channel(input).await;
        }
    }
    let expected = ["0a", "0b", "1a", "1b", "2a"];
    let named = |prefix: &str| expected.map(|name| format!("{prefix}{name}")).to_vec();
    let all = format!("channels(orderBy: {{ field: POSITION }}, <page>) {{ nodes {{ name }} {PAGE} }}");
    assert_eq!(walked(&root, &all, "/channels", "/name").await, [named("s"), named("g")].concat());
    let back = all.replace("POSITION", "POSITION, direction: DESC");
    let mut reversed = [named("s"), named("g")].concat();
    reversed.reverse();
    assert_eq!(walked(&root, &back, "/channels", "/name").await, reversed);
    let list = format!("group(by: {{ id: {group:?} }}) {{ channels(<page>) {{ nodes {{ name }} {PAGE} }} }}");
    assert_eq!(walked(&root, &list, "/group/channels", "/name").await, named("g"));
    let filtered = format!("channels(filter: {{ groupId: {group:?} }}, <page>) {{ nodes {{ name }} {PAGE} }}");
    assert_eq!(walked(&root, &filtered, "/channels", "/name").await, named("g"));
    let sidebar = root.query("{ viewer { sidebar { conversation { title } } } }").await.data("viewer");
    let titles: Vec<_> =
        sidebar["sidebar"].as_array().unwrap().iter().map(|one| text(&one["conversation"]["title"])).collect();
    assert_eq!(titles, [named("s"), named("g")].concat());
    // A cursor of one order is none of another.
    let page = root.query("{ channels(orderBy: { field: POSITION }, first: 1) { pageInfo { endCursor } } }").await;
    let cursor = page.data("channels")["pageInfo"]["endCursor"].clone();
    let other = root.query(&format!("{{ channels(after: {cursor}) {{ nodes {{ id }} }} }}")).await;
    assert_eq!(other.wrong_fields(), ["after BAD_FORMAT"]);
}

#[tokio::test]
async fn everything_of_groups_costs_the_same_statements_however_many_there_are() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    for number in 0..12 {
        let group = found(&alice, json!({ "name": format!("Group {number}") })).await;
        category(&alice, Some(&group), "One").await;
        let place = channel(&alice, &group, "Channel", "PUBLIC").await;
        if number % 2 == 0 {
            admit(&alice, &group, &[&bob], "MEMBER").await;
            bob.join(&place).await;
        }
    }
    let of_group = "id name memberCount createdBy { username } categories { name group { id } }
        viewerMember { role addedBy { username } user { username } } viewerUnreadCount viewerMentionCount
        viewerPermissions { canJoin }";
    for (list, pointer, most) in [
        (format!("groups(first: $first) {{ nodes {{ {of_group} }} }}"), "/groups/nodes", 9),
        (format!("viewer {{ groups(first: $first) {{ nodes {{ {of_group} }} }} }}"), "/viewer/groups/nodes", 9),
        (
            format!(
                "channels(first: $first, orderBy: {{ field: POSITION }}) {{ nodes {{ name category {{ name }} group {{ {of_group} }} }} }}"
            ),
            "/channels/nodes",
            10,
        ),
    ] {
        let mut counts = Vec::new();
        for first in [2, 6] {
            let ask = format!("query($first: Int!) {{ {list} }}");
            let (statements, answer) = server.statements(bob.ask(&ask, json!({ "first": first }))).await;
            assert!(answer.0.get("errors").is_none(), "{answer:?}");
            assert_eq!(answer.0["data"].pointer(pointer).unwrap().as_array().unwrap().len(), first);
            counts.push(statements.len());
            assert!(statements.len() <= most, "{pointer}: {statements:#?}");
        }
        assert_eq!(counts[0], counts[1], "{pointer}");
    }
}

#[tokio::test]
async fn a_group_has_room_for_a_thousand_channels_and_a_hundred_categories() {
    let server = TestServer::start().await;
    let alice = server.register("alice").await;
    let group = public_group(&alice, "Gardeners").await;
    let fill = "CREATE TEMP TABLE more AS SELECT gen_random_uuid() AS id, n FROM generate_series(0, 998) n;
        INSERT INTO conversations (id, kind, last_activity_at, version, created_at, updated_at)
            SELECT id, 'CHANNEL', now(), 1, now(), now() FROM more;
        INSERT INTO channels (conversation_id, name, visibility, posting_role, group_id, position)
            SELECT more.id, 'Channel', 'PRIVATE', 'GUEST', groups.id, n FROM more, groups;
        INSERT INTO channel_categories (id, group_id, name, position, version)
            SELECT gen_random_uuid(), groups.id, 'Category', n, 1 FROM groups, generate_series(0, 98) n";
    server.database.execute(fill).await;
    let (place, heading) = (json!({ "groupId": group, "name": "New" }), json!({ "groupId": group, "name": "New" }));
    done(&alice, "createChannel", place.clone(), "channel { id }").await;
    done(&alice, "createChannelCategory", heading.clone(), "category { id }").await;
    let full = [
        super::run(&alice, "createChannel", place, "channel { id }").await,
        super::run(&alice, "createChannelCategory", heading, "category { id }").await,
    ];
    for refused in full {
        assert_eq!(refused.code(), "FAILED_PRECONDITION");
        assert_eq!(refused.0["errors"][0]["extensions"]["reason"], "TOO_MANY");
    }
    // The server has room.
    done(&alice, "createChannel", json!({ "name": "New" }), "channel { id }").await;
}

#[tokio::test]
async fn leaving_a_group_costs_the_same_statements_however_many_channels_it_has() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.register("alice").await, server.register("bob").await);
    let mut counts = Vec::new();
    for size in [2, 10] {
        let group = found(&alice, json!({ "name": format!("Group {size}") })).await;
        admit(&alice, &group, &[&bob], "MEMBER").await;
        let mut joins = String::new();
        for number in 0..size {
            let place = channel(&alice, &group, &format!("Channel {number}"), "PUBLIC").await;
            if number % 2 == 0 {
                write!(joins, "a{number}: joinChannel(input: {{ channelId: {place:?} }}) {{ channel {{ id }} }} ")
                    .unwrap();
            }
        }
        let joined: Value = bob.query(&format!("mutation {{ {joins} }}")).await.0;
        assert!(joined.get("errors").is_none(), "{joined}");
        let leave = "mutation($id: ID!) { leaveGroup(input: { groupId: $id }) { groupId } }";
        let (statements, answer) = server.statements(bob.ask(leave, json!({ "id": group }))).await;
        answer.data("leaveGroup");
        counts.push(statements.len());
    }
    assert_eq!(counts[0], counts[1]);
}
