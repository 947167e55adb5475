//! The two schemas, GraphQL's and the database's, against the files that describe them and the rules they keep.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chinwag::db::MIGRATIONS;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection};
use diesel_migrations::MigrationHarness;

use crate::harness::{Database, TestServer, sdl};

// GraphQL.

#[test]
fn the_committed_sdl_is_the_one_that_is_served() {
    let committed = file("schema.graphql");
    let served = chinwag::api::sdl();
    let differs = committed.lines().zip(served.lines()).position(|(committed, served)| committed != served);
    assert!(
        committed == served,
        "schema.graphql has drifted from the code, first at line {}. To refresh it:\n\n    \
         cargo run -q -- schema > schema.graphql\n\n",
        differs.unwrap_or(committed.lines().count().min(served.lines().count())) + 1
    );
}

// src/schema.rs.

/// Written by the database alone, and read by SQL alone: diesel need not know it.
const LEFT_OUT: [&str; 2] = ["changed_xid", "joined_xid"];

/// The SDL is the manual of whoever writes a client.
#[test]
fn everything_in_the_sdl_says_what_it_is() {
    assert_eq!(sdl::silent(), Vec::<String>::new());
}

#[tokio::test]
async fn diesel_sees_the_tables_as_they_are() {
    let database = Database::create().await;
    let columns = database
        .rows(
            "SELECT table_name, column_name, udt_name, is_nullable FROM information_schema.columns
             WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
        )
        .await;
    let mut tables = BTreeMap::<String, (Vec<String>, Vec<String>)>::new();
    for column in
        columns.iter().filter(|column| !LEFT_OUT.contains(&column[1].as_str()) && !column[0].starts_with("__diesel"))
    {
        let [table, name, kind, nullable] = column.as_slice() else { unreachable!() };
        let kind = kind.strip_prefix('_').map_or_else(|| diesel_name(kind), |of| format!("Array<{}>", diesel_name(of)));
        let kind = if nullable == "YES" { format!("Nullable<{kind}>") } else { kind };
        tables.entry(table.clone()).or_default().1.push(format!("{name} -> {kind}"));
    }
    for key in database.rows(PRIMARY_KEYS).await {
        tables.get_mut(&key[0]).unwrap().0.push(key[1].clone());
    }
    assert_eq!(declared_tables(&file("src/schema.rs")), tables, "left: src/schema.rs, right: the migrations");
}

/// The columns of primary keys, in the keys' order.
const PRIMARY_KEYS: &str = "SELECT conrelid::regclass::text, attname FROM pg_constraint
    CROSS JOIN unnest(conkey) WITH ORDINALITY AS part(number, place)
    JOIN pg_attribute ON attrelid = conrelid AND attnum = number
    WHERE contype = 'p' AND connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE '\\_\\_diesel%'
    ORDER BY conrelid::regclass::text, place";

fn diesel_name(postgres: &str) -> String {
    let mut name = postgres.to_owned();
    name[..1].make_ascii_uppercase();
    name
}

/// `table! { name (key) { columns } }` by table: its key, and its columns with their types.
fn declared_tables(source: &str) -> BTreeMap<String, (Vec<String>, Vec<String>)> {
    let mut tables = BTreeMap::new();
    for block in source.split("diesel::table! {").skip(1) {
        let (head, rest) = block.split_once(") {").unwrap();
        let (name, key) = head.trim().split_once(" (").unwrap();
        let columns = rest.split_once('}').unwrap().0;
        let key = key.split(", ").map(str::to_owned).collect();
        let columns = columns.lines().map(|line| line.trim().trim_end_matches(',').to_owned());
        tables.insert(name.to_owned(), (key, columns.filter(|column| !column.is_empty()).collect()));
    }
    tables
}

// Keys.

/// Each foreign key: name, table, columns, what it refers to, what happens when that is deleted, and whether a full
/// index begins with its columns.
const FOREIGN_KEYS: &str = "SELECT conname, conrelid::regclass::text, confrelid::regclass::text, confdeltype::text,
        EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indpred IS NULL
            AND (indkey::smallint[])[0:cardinality(conkey) - 1] @> conkey
            AND (indkey::smallint[])[0:cardinality(conkey) - 1] <@ conkey)::text
    FROM pg_constraint WHERE contype = 'f' ORDER BY conname";

/// What may take its rows with it: deleting a conversation deletes all that is in it, an import source what is remembered
/// of it, a session its devices, and a device what was pushed to it. Nobody else's rows go by themselves.
const OWNERS: [&str; 4] = ["conversations", "import_sources", "push_devices", "sessions"];

#[tokio::test]
async fn every_foreign_key_has_an_index_and_a_chosen_end() {
    let database = Database::create().await;
    let keys = database.rows(FOREIGN_KEYS).await;
    assert!(keys.len() > 10, "the query finds no keys: {keys:?}");
    for key in keys {
        let [name, table, target, on_delete, is_indexed] = key.as_slice() else { unreachable!() };
        assert_eq!(is_indexed, "true", "{name}: deleting from {target} would read all of {table}; it needs an index");
        match (target.as_str(), on_delete.as_str()) {
            ("users", "r") => {}
            ("users", _) => panic!("{name}: people are emptied, never deleted: ON DELETE RESTRICT"),
            (target, "c") if OWNERS.contains(&target) => {}
            (_, "c") => panic!("{name}: CASCADE stands only below {OWNERS:?}"),
            (_, "a") => panic!("{name}: ON DELETE is not chosen"),
            _ => {}
        }
    }
}

/// Columns that name something without a foreign key, and why. A new one needs its reason here; one that gets a key has
/// to leave.
const WITHOUT_A_KEY: [(&str, &str); 17] = [
    ("audit_entries.subject_id", "a public id of anything, kept for ever"),
    ("broadcast_mentions.author_id", "the message's"),
    ("conversation_events.actor_id", "written under the lock that checked it; the log is the hottest table"),
    ("conversation_events.conversation_id", "the same"),
    ("creation_keys.created_id", "of the table that `mutation` says"),
    ("mentions.author_id", "the message's"),
    ("pushes.notification_id", "rows of the bell are forgotten by the thousand, and this one after them"),
    ("messages.author_id", "written under the lock that checked it; the hottest table after the log"),
    ("messages.conversation_id", "the same"),
    ("messages.deleted_by_id", "the same"),
    ("notifications.actor_id", "written with what they did, as often as messages"),
    ("notifications.conversation_id", "the same"),
    ("notifications.group_id", "the same"),
    ("notifications.user_id", "written by the statement that found them, as often as messages"),
    ("reaction_counts.conversation_id", "written under the lock that checked it, as often as messages"),
    ("reactions.conversation_id", "the same"),
    ("reactions.user_id", "the same"),
];

#[tokio::test]
async fn whatever_names_something_has_a_key_or_a_reason() {
    let database = Database::create().await;
    let without = database
        .rows(
            "SELECT columns.table_name || '.' || column_name FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name LIKE '%\\_id' AND NOT EXISTS (
                 SELECT FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
                 WHERE contype = 'f' AND conrelid = columns.table_name::regclass AND attname = column_name)
             ORDER BY 1",
        )
        .await;
    let without: BTreeSet<_> = without.iter().map(|row| row[0].as_str()).collect();
    let listed: BTreeSet<_> = WITHOUT_A_KEY.iter().map(|(column, _)| *column).collect();
    assert_eq!(without, listed, "left: columns without a foreign key, right: those with a reason");
}

// What viewers' streams are resumed from.

/// Tables whose rows say nothing of the transaction that wrote them, and why. Whatever somebody is shown in a stream of their
/// own is in others; a new table keeps `changed_xid`, or its reason here.
const DO_NOT_CONVERGE: [(&str, &str); 32] = [
    ("audit_entries", "read by those who ask"),
    ("blocks", "read by those who ask"),
    ("broadcast_mentions", "change with their conversation"),
    ("channel_categories", "change with their list"),
    ("channel_readers", "of the inside"),
    ("channels", "change with their conversation"),
    ("conversation_events", "a log of its own"),
    ("creation_keys", "of the inside"),
    ("digests", "of the inside"),
    ("direct_conversations", "change with their conversation"),
    ("held_usernames", "of the inside"),
    ("import_channels", "of the inside"),
    ("import_lines", "of the inside"),
    ("import_people", "of the inside"),
    ("import_sources", "of the inside"),
    ("invitations", "read by those who run the server"),
    ("jobs", "of the inside"),
    ("mailed_tokens", "of the inside"),
    ("mentions", "change with their conversation"),
    ("message_revisions", "change with their conversation"),
    ("messages", "change with their conversation"),
    ("oauth_accounts", "change with their account"),
    ("oauth_states", "of the inside"),
    ("pins", "change with their conversation"),
    ("presences", "a stream of their own"),
    ("push_devices", "read by those who ask"),
    ("pushes", "of the inside"),
    ("reaction_counts", "change with their conversation"),
    ("reactions", "change with their conversation"),
    ("recovery_codes", "read by those who ask"),
    ("second_factors", "change with their account"),
    ("sign_in_challenges", "of the inside"),
];

/// Tables in which one person may have any number of rows: those that changed are found by an index. Others keep it out of
/// theirs, so that updates stay on the page.
const FOUND_BY_IT: [&str; 1] = ["notifications"];

#[tokio::test]
async fn whatever_writes_a_row_that_converges_leaves_its_number() {
    let database = Database::create().await;
    let tables = database
        .rows(
            "SELECT relname::text, attname IS NOT NULL,
                 coalesce(pg_get_expr(adbin, adrelid), '') = 'pg_current_xact_id()' AND attnotnull,
                 EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = relname || '_changed_xid'
                     AND tgtype = 1 | 2 | 16 AND tgenabled = 'O' AND tgfoid = 'touch_changed_xid'::regproc AND tgqual IS NULL),
                 EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND attnum = ANY (indkey))
             FROM pg_class LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'changed_xid'
             LEFT JOIN pg_attrdef ON adrelid = pg_class.oid AND adnum = attnum
             WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_\\_diesel%'",
        )
        .await;
    let mut without = BTreeSet::new();
    for table in &tables {
        let [name, has_it, by_default, by_trigger, is_indexed] = table.as_slice() else { unreachable!() };
        match has_it.as_str() {
            "t" => {
                let may_be_indexed = if FOUND_BY_IT.contains(&name.as_str()) { "t" } else { "f" };
                assert_eq!(
                    (by_default.as_str(), by_trigger.as_str(), is_indexed.as_str()),
                    ("t", "t", may_be_indexed),
                    "{name}"
                )
            }
            _ => drop(without.insert(name.as_str())),
        }
    }
    let listed: BTreeSet<_> = DO_NOT_CONVERGE.iter().map(|(table, _)| *table).collect();
    assert_eq!(without, listed, "left: tables without changed_xid, right: those with a reason");
}

// Words and names.

#[tokio::test]
async fn every_table_says_what_it_is_for() {
    let database = Database::create().await;
    let tables = database
        .rows(
            "SELECT relname::text, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class
             WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_\\_diesel%'",
        )
        .await;
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        assert!(table[1].trim().ends_with('.'), "{} needs a COMMENT ON TABLE, a sentence", table[0]);
    }
}

/// Keys and indexes whose columns would not say what they are for.
const NAMED_BY_MEANING: [&str; 21] = [
    "broadcast_mentions_in_threads_idx",
    "channels_end_idx",
    "channels_search_idx",
    "conversation_members_left_check",
    "conversation_members_loud_idx",
    "conversation_members_order_idx",
    "conversation_members_owner_key",
    "group_members_left_check",
    "group_members_order_idx",
    "group_members_owner_key",
    "groups_search_idx",
    "mentions_in_threads_idx",
    "messages_dead_idx",
    "messages_thread_idx",
    "messages_time_idx",
    "messages_timeline_idx",
    "notifications_unread_idx",
    "preferences_quiet_check",
    "thread_followers_writers_idx",
    "threads_latest_idx",
    "users_search_idx",
];

#[tokio::test]
async fn keys_and_indexes_are_named_after_their_columns() {
    let database = Database::create().await;
    // An index of a constraint has the constraint's name, so indexes tell of both.
    let indexes = database
        .rows(
            "SELECT indrelid::regclass::text, relname::text,
                 CASE WHEN indisprimary THEN 'pkey' WHEN indisunique THEN 'key' ELSE 'idx' END,
                 (SELECT string_agg(pg_get_indexdef(indexrelid, part, true), ',' ORDER BY part)
                  FROM generate_series(1, indnkeyatts) AS part)
             FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
             WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_\\_diesel%'",
        )
        .await;
    let others = database
        .rows(
            "SELECT conrelid::regclass::text, conname::text, CASE contype WHEN 'f' THEN 'fkey' ELSE 'check' END,
                 (SELECT string_agg(attname, ',' ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS p(number, place)
                  JOIN pg_attribute ON attrelid = conrelid AND attnum = number)
             FROM pg_constraint
             WHERE contype IN ('f', 'c') AND connamespace = 'public'::regnamespace",
        )
        .await;
    let mut exceptions = BTreeSet::new();
    for row in indexes.iter().chain(&others) {
        let [table, name, kind, columns] = row.as_slice() else { unreachable!() };
        let columns: Vec<_> = columns.split(',').map(bare).collect();
        // An index may go on with columns that only order what the first ones find.
        let names = (1..=columns.len()).map(|count| format!("{table}_{}_{kind}", columns[..count].join("_")));
        let is_right = match kind.as_str() {
            "pkey" => *name == format!("{table}_pkey"),
            "key" | "fkey" => *name == format!("{table}_{}_{kind}", columns.join("_")),
            _ => names.into_iter().any(|right| *name == right),
        };
        // A check may be about several columns and be named after the one it is for.
        let is_right = is_right || kind == "check" && columns.iter().any(|c| *name == format!("{table}_{c}_check"));
        if !is_right {
            assert!(
                name.starts_with(&format!("{table}_")) && name.ends_with(&format!("_{kind}")),
                "{name} of {table} {columns:?}: {table}_columns_{kind}"
            );
            exceptions.insert(name.as_str());
        }
    }
    assert_eq!(exceptions, BTreeSet::from(NAMED_BY_MEANING), "left: names that are not their columns, right: the list");
}

/// A column out of `lower(name)`.
fn bare(column: &str) -> &str {
    column.split_once('(').map_or(column, |(_, inner)| inner.trim_end_matches(')'))
}

// Migrations.

#[tokio::test]
async fn migrations_go_up_down_and_up() {
    let database = Database::empty().await;
    migrate(&database, |harness| drop(harness.run_pending_migrations(MIGRATIONS).unwrap())).await;
    let first = catalogue(&database).await;
    assert!(first.len() > 100, "{first:?}");
    migrate(&database, |harness| drop(harness.revert_all_migrations(MIGRATIONS).unwrap())).await;
    assert_eq!(catalogue(&database).await, Vec::<Vec<String>>::new(), "left over by a down.sql");
    migrate(&database, |harness| drop(harness.run_pending_migrations(MIGRATIONS).unwrap())).await;
    assert_eq!(catalogue(&database).await, first);
}

type Harness = AsyncMigrationHarness<AsyncPgConnection>;

async fn migrate(database: &Database, work: impl FnOnce(&mut Harness) + Send + 'static) {
    let conn = AsyncPgConnection::establish(&database.url).await.unwrap();
    // The harness blocks.
    tokio::task::spawn_blocking(move || work(&mut AsyncMigrationHarness::new(conn))).await.unwrap();
}

/// All that a migration can leave behind, but what diesel itself keeps.
async fn catalogue(database: &Database) -> Vec<Vec<String>> {
    database
        .rows(
            "SELECT 'column', format('%s.%s %s %s %s', table_name, column_name, udt_name, is_nullable, column_default)
             FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'
             UNION ALL SELECT 'relation', format('%s %s %s', relname, relkind, reloptions) FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_\\_diesel%'
             UNION ALL SELECT 'constraint', conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
             WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE '\\_\\_diesel%'
             UNION ALL SELECT 'trigger', pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
             UNION ALL SELECT 'function', pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
             UNION ALL SELECT 'type', typname::text FROM pg_type
             WHERE typnamespace = 'public'::regnamespace AND typname NOT LIKE '%\\_\\_diesel%'
             UNION ALL SELECT 'comment', description FROM pg_description JOIN pg_class ON pg_class.oid = objoid
             WHERE relnamespace = 'public'::regnamespace
             ORDER BY 1, 2",
        )
        .await
}

#[tokio::test]
async fn what_was_audited_can_neither_be_changed_nor_deleted() {
    let server = TestServer::start().await;
    // The first account becomes ADMIN, which is audited.
    server.register("alice").await;
    let before = server.database.rows("SELECT audit_entries::text FROM audit_entries").await;
    assert_eq!(before.len(), 1);
    for change in ["UPDATE audit_entries SET action = 'nothing'", "DELETE FROM audit_entries", "TRUNCATE audit_entries"]
    {
        let refused = server.database.try_execute(change).await.unwrap_err();
        let message = refused.as_db_error().unwrap().message().to_owned();
        assert_eq!(message, "audit_entries is append only", "{change}");
    }
    let after = server.database.rows("SELECT audit_entries::text FROM audit_entries").await;
    assert_eq!(after, before);
}

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}
