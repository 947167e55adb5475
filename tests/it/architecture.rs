//! Who may import whom, read from src/ as text: the compiler would let most of this pass. Names in comments and in unit
//! tests do not count.
//!
//! A folder is an area, a file's name is a layer. Where a list below allows something, it is by the exact file, and a
//! file that no longer needs its place has to leave it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

/// The areas, bottom up. The rules of one may use the front doors of those before it: news travels upwards as events.
const RANK: [&str; 21] = [
    "audit",
    "users",
    "accounts",
    "push",
    "notifications",
    "groups",
    "invitations",
    "oauth",
    "conversations",
    "files",
    "presence",
    "reads",
    "messages",
    "farewell",
    "import",
    "search",
    "moderation",
    "calls",
    "market",
    "admin",
    "viewer_events",
];

/// What knows everything, and is known by nobody below.
const TOP: [&str; 5] = ["api", "http", "start.rs", "lib.rs", "main.rs"];

// SQL.

#[test]
fn sql_stands_in_stores_and_in_the_core_that_serves_them() {
    let at_home = |file: &Source| {
        file.is_store()
            || file.path.starts_with("db/")
            // The tables; ids that bind as they are; the row of the log, which every area appends.
            || ["schema.rs", "id.rs", "log/event.rs"].contains(&file.path.as_str())
    };
    // An enumeration is kept as text: it derives how, next to its name in the API. Nothing else of diesel is needed for
    // that, and none of this can run a statement.
    let enumeration = ["diesel::deserialize::FromSqlRow", "diesel::expression::AsExpression", "diesel::sql_types"];
    let allowed = [
        ("accounts/mod.rs", &enumeration[..]),
        ("accounts/devices/mod.rs", &enumeration),
        ("accounts/preferences/mod.rs", &enumeration),
        ("conversations/mod.rs", &enumeration),
        ("groups/mod.rs", &enumeration),
        ("messages/mod.rs", &enumeration),
        ("messages/mentions/mod.rs", &enumeration),
        ("notifications/mod.rs", &enumeration),
        ("users/mod.rs", &enumeration),
        // `DATABASE_URL` is read by who will use it, so that a bad one stops the start.
        ("config/data.rs", &["tokio_postgres::Config"]),
    ];
    let is_sql =
        |path: &str| is_below(path, "diesel") || is_below(path, "diesel_async") || is_below(path, "tokio_postgres");
    only_there("SQL elsewhere would be found by no one who changes a table", at_home, &allowed, is_sql);
    only_there("only what writes SQL knows the tables", at_home, &[], |path| is_below(path, "crate::schema"));
}

#[test]
fn a_table_is_written_by_one_folder() {
    let mut writers = BTreeMap::<String, BTreeSet<String>>::new();
    for file in sources() {
        let mut tables: BTreeMap<&str, &str> = BTreeMap::new();
        for line in file.text.lines() {
            // use conversation_members as m;
            if let Some((table, short)) = line.trim().strip_prefix("use ").and_then(|rest| rest.split_once(" as ")) {
                tables.insert(short.trim_end_matches(';'), table);
            }
        }
        for verb in ["insert_into(", "update(", "delete(", "into \"", "UPDATE ", "INSERT INTO ", "DELETE FROM "] {
            for (at, _) in file.text.match_indices(verb) {
                let rest = &file.text[at + verb.len()..];
                let name: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let is_table = rest[name.len()..].starts_with("::table") || !verb.ends_with('(');
                if is_table && !name.is_empty() {
                    let name = tables.get(name.as_str()).copied().unwrap_or(&name).to_owned();
                    writers.entry(name).or_default().insert(file.top().to_owned());
                }
            }
        }
    }
    assert!(writers.len() > 12, "who writes is not found any more: {writers:?}");
    for (table, folders) in writers {
        assert!(
            folders.len() == 1,
            "{table} is written by {folders:?}: what holds for its rows is known to one of them"
        );
    }
}

// Libraries of the outside.

#[test]
fn graphql_stands_in_the_files_of_that_name_and_in_the_core_that_serves_them() {
    let at_home = |file: &Source| file.is_graphql() || file.top() == "api";
    let enumeration = ["async_graphql::Enum"];
    let allowed = [
        // The one conversion of errors, and the codes, which are an enumeration of the API.
        ("error.rs", &["async_graphql::Enum", "async_graphql::resolver_utils::EnumType", "async_graphql::Error"][..]),
        // Scalars, pages and directives are declared once for all areas; a request's data is reached by its context.
        ("scalar.rs", &["async_graphql::*"]),
        ("page.rs", &["async_graphql::Enum", "async_graphql::SimpleObject"]),
        ("directive.rs", &["async_graphql::TypeDirective"]),
        ("context.rs", &["async_graphql::Context"]),
        // Enumerations are kept by the names they have in the API.
        ("db/text_enum.rs", &["async_graphql::resolver_utils::EnumType"]),
        ("accounts/mod.rs", &enumeration),
        ("accounts/devices/mod.rs", &enumeration),
        ("accounts/preferences/mod.rs", &enumeration),
        ("config/limits.rs", &enumeration),
        ("groups/add.rs", &enumeration),
        ("groups/mod.rs", &enumeration),
        ("conversations/mod.rs", &enumeration),
        ("conversations/pages.rs", &enumeration),
        ("messages/mentions/mod.rs", &enumeration),
        ("messages/mod.rs", &enumeration),
        ("notifications/mod.rs", &enumeration),
        ("realtime/presences.rs", &enumeration),
        ("users/mod.rs", &enumeration),
    ];
    let is_graphql = |path: &str| is_below(path, "async_graphql");
    only_there("rules must not know who asks them", at_home, &allowed, is_graphql);
}

#[test]
fn http_stands_in_its_folder() {
    let uri = &["axum::http::Uri"][..];
    let allowed =
        [("config/http.rs", uri), ("config/mail.rs", uri), ("config/requests.rs", uri), ("config/variable.rs", uri)];
    let is_http = |path: &str| ["axum", "hyper", "hyper_util", "tower", "tower_http"].iter().any(|c| is_below(path, c));
    let at_home = |file: &Source| ["http", "outgoing"].contains(&file.top());
    only_there("the server could not speak anything else", at_home, &allowed, is_http);
}

#[test]
fn nothing_but_the_clock_reads_the_clock() {
    let reads = ["Utc::now", "Local::now", "Uuid::now_v7", "SystemTime::now"];
    for file in sources().iter().filter(|file| file.path != "clock.rs") {
        for (number, line) in file.text.lines().enumerate() {
            let read = reads.iter().find(|read| line.contains(*read));
            assert!(
                read.is_none(),
                "src/{}:{}: {}: tests move `Clock`, and this would not move with it",
                file.path,
                number + 1,
                line.trim()
            );
        }
    }
}

// Our own modules.

#[test]
fn the_core_knows_no_area_and_nobody_knows_the_top() {
    let inner_top = ["api", "http", "start"];
    never("an area, or the core, would depend on what is made of it", |file, path| {
        let is_top = TOP.contains(&file.top());
        !is_top && inner_top.iter().any(|top| is_below(path, &format!("crate::{top}")))
    });
    never("the core could not be read without the areas", |file, path| file.is_core() && area_of(path).is_some());
    // The API is asked by HTTP, not the other way round.
    never("only HTTP and the start ask the API, and nobody asks HTTP but the start", |file, path| match file.top() {
        "api" => is_below(path, "crate::http") || is_below(path, "crate::start"),
        "http" => is_below(path, "crate::start"),
        _ => false,
    });
}

#[test]
fn rules_use_the_front_doors_of_lower_areas() {
    never("a lower area never calls a higher one: news travels upwards as events", |file, path| {
        let (Some(own), Some(other)) = (file.area(), area_of(path)) else { return false };
        !file.is_graphql() && rank(other) > rank(own)
    });
    never("a rule that speaks GraphQL would be one for GraphQL alone", |file, path| {
        !file.is_graphql() && file.area().is_some() && path.contains("::graphql")
    });
}

#[test]
fn nobody_uses_the_store_of_another_area() {
    never("rights are judged at the front door, and a store has none", |file, path| {
        let store = path.strip_prefix("crate::").and_then(|path| path.split_once("::store")).map(|(folder, _)| folder);
        // A folder within an area has one of its own.
        store.is_some_and(|folder| folder.split("::").next() != Some(file.top()))
    });
    // A private module is what makes it so. `pub` here would let anybody in.
    for file in sources() {
        let line =
            file.text.lines().position(|line| line.trim_start().starts_with("pub") && line.contains("mod store"));
        assert!(line.is_none(), "src/{}:{}: a store is its folder's own", file.path, line.unwrap_or(0) + 1);
    }
}

#[test]
fn layers_stay_away_from_what_is_above_them() {
    never("a store that publishes would tell of what may be rolled back", |file, path| {
        let above = ["crate::app", "crate::realtime", "crate::log", "crate::context", "crate::config", "async_graphql"];
        let is_own = is_below(path, &format!("crate::{}", file.top()));
        file.is_store() && !is_own && above.iter().any(|above| is_below(path, above))
    });
    never("what stands in the log is read for years: it is ids and values of its own", |file, path| {
        let below = ["crate::id", "crate::log::Kind", "serde"];
        let own = format!("crate::{}", file.top());
        file.name() == "events.rs"
            && !below.iter().any(|below| is_below(path, below))
            && !is_below(path, &own)
            && path.contains("::")
    });
    never("a loader's answer depends on its key alone", |file, path| {
        file.name() == "loaders.rs" && area_of(path).is_some_and(|area| Some(area) != file.area())
    });
    never("GraphQL asks the rules, and they ask the store", |file, path| {
        let tables = ["crate::schema", "crate::db", "diesel", "diesel_async", "axum"];
        let is_store = path.split("::").any(|step| step == "store");
        file.is_graphql() && file.area().is_some() && (is_store || tables.iter().any(|table| is_below(path, table)))
    });
}

/// Within `Result<Option<T>>` the library gives the error to the parent, and of a `Result` of an interface it loses the
/// path: see tests/it/null_propagation.rs.
#[test]
fn fields_that_can_fail_are_written_so_that_the_library_says_it_right() {
    let mut resolvers = 0;
    for file in sources().iter().filter(|file| file.is_graphql() || file.top() == "api") {
        let mut ends_with = None;
        for (number, line) in file.text.lines().enumerate() {
            let indent = &line[..line.len() - line.trim_start().len()];
            let code = line.trim();
            if ends_with.is_none()
                && (code.starts_with("#[Object") || code.starts_with("#[Subscription") || is_macro(code))
            {
                ends_with = Some(format!("{indent}}}"));
            } else if ends_with.as_deref() == Some(line) {
                ends_with = None;
            }
            let is_field = ends_with.is_some() && code.contains(") -> ") || code.contains("ty = \"");
            resolvers += usize::from(is_field);
            assert!(
                !(is_field && code.contains("Result<Option<")),
                "src/{}:{}: {code}: Option<Result<T>>, or its failure takes the parent with it",
                file.path,
                number + 1
            );
            // A node's id: of seventeen types one alone looks it up.
            assert!(
                !code.contains("ty = \"Result<") || code == "ty = \"Result<ID>\",",
                "src/{}:{}: {code}: Fallible<T>, or its error has no path",
                file.path,
                number + 1
            );
        }
    }
    assert!(resolvers > 100, "resolvers are not found any more: {resolvers}");
}

/// `event! {`, whose inside is resolvers.
fn is_macro(code: &str) -> bool {
    code.ends_with("! {") && !code.starts_with("macro_rules") && !code.starts_with("connection")
}

// Reading.

/// A file of src/, without its comments and unit tests; lines stand where they stood.
struct Source {
    /// From src/ on.
    path: String,
    text: String,
    named: Vec<Named>,
}

/// Something that a file names: `crate::a::b`, or of a library of those above, wherever it stands.
struct Named {
    line: usize,
    path: String,
}

impl Source {
    /// The area or core module it belongs to; a file's own name at the top.
    fn top(&self) -> &str {
        self.path.split('/').next().unwrap()
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    fn area(&self) -> Option<&str> {
        Some(self.top()).filter(|top| RANK.contains(top))
    }

    fn is_core(&self) -> bool {
        self.area().is_none() && !TOP.contains(&self.top())
    }

    /// `graphql.rs`, or whatever is in a folder of that name; HTTP's file of that name is about the protocol.
    fn is_graphql(&self) -> bool {
        self.area().is_some() && self.path.split('/').any(|step| step == "graphql" || step == "graphql.rs")
    }

    /// `store.rs`, or whatever is in a folder of that name, as with `graphql`.
    fn is_store(&self) -> bool {
        self.path.split('/').any(|step| step == "store" || step == "store.rs")
    }

    fn new(path: String, text: String) -> Self {
        let mut source = Self { path, text, named: Vec::new() };
        source.named = source.read();
        source
    }

    /// All paths it names, with the trees of `use` written out, and `super` as what it stands for.
    fn read(&self) -> Vec<Named> {
        let mut named = Vec::new();
        let text = self.text.as_str();
        let (mut at, mut line, mut counted) = (0, 1, 0);
        while let Some(length) = text[at..].find(|c: char| c.is_alphabetic() || c == '_') {
            at += length;
            let is_whole = !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '"');
            let step = word(&text[at..]);
            line += text[counted..at].matches('\n').count();
            counted = at;
            let is_path = text[at + step.len()..].starts_with("::");
            if is_whole && is_path {
                let (paths, length) = tree(&text[at..]);
                named.extend(paths.into_iter().map(|path| Named { line, path: self.absolute(&path) }));
                at += length;
            } else {
                at += step.len().max(1);
            }
        }
        named
    }

    /// A path from the crate on.
    fn absolute(&self, path: &str) -> String {
        let mut here: Vec<&str> = self.path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
        let mut steps = path.split("::").peekable();
        if steps.next_if_eq(&"self").is_none() {
            if steps.peek() != Some(&"super") {
                return path.to_owned();
            }
            while steps.next_if_eq(&"super").is_some() {
                here.pop();
            }
        }
        ["crate"].into_iter().chain(here).chain(steps).collect::<Vec<_>>().join("::")
    }
}

/// The paths that begin here, `a::{b, c::d}` as two, and how long their text is.
fn tree(text: &str) -> (Vec<String>, usize) {
    let step = word(text);
    let mut at = step.len();
    if step.is_empty() {
        return (Vec::new(), 0);
    }
    let Some(rest) = text[at..].strip_prefix("::") else { return (vec![step.to_owned()], at) };
    at += 2;
    if rest.starts_with('*') {
        return (vec![format!("{step}::*")], at + 1);
    }
    if !rest.starts_with('{') {
        let (paths, length) = tree(rest);
        let paths = if paths.is_empty() { vec![step.to_owned()] } else { under(step, paths) };
        return (paths, at + length);
    }
    at += 1;
    let mut paths = Vec::new();
    loop {
        at += text[at..].len() - text[at..].trim_start_matches([' ', '\n', ',']).len();
        if text[at..].starts_with('}') {
            return (under(step, paths), at + 1);
        }
        let (some, length) = tree(&text[at..]);
        assert!(length > 0, "not a tree of `use`: {}", &text[..at.min(200)]);
        paths.extend(some);
        at += length;
        // `x as y`
        if let Some(renamed) = text[at..].strip_prefix(" as ") {
            at += 4 + word(renamed).len();
        }
    }
}

fn under(step: &str, paths: Vec<String>) -> Vec<String> {
    paths.into_iter().map(|path| if path == "self" { step.to_owned() } else { format!("{step}::{path}") }).collect()
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The area that a path leads into.
fn area_of(path: &str) -> Option<&str> {
    path.strip_prefix("crate::")?.split("::").next().filter(|first| RANK.contains(first))
}

fn rank(area: &str) -> usize {
    RANK.iter().position(|known| *known == area).unwrap()
}

/// Nobody names what `is_wrong` says, because of `why`.
fn never(why: &str, is_wrong: impl Fn(&Source, &str) -> bool) {
    let mut wrong = Vec::new();
    for file in sources() {
        for Named { line, path } in &file.named {
            if is_wrong(file, path) {
                wrong.push(format!("src/{}:{line}: {path}", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{why}:\n{}\n", wrong.join("\n"));
}

/// What `is_meant` stands nowhere but `at_home` and, by file and name, where it is `allowed`; `*` allows all of it.
fn only_there(
    why: &str,
    at_home: impl Fn(&Source) -> bool,
    allowed: &[(&str, &[&str])],
    is_meant: impl Fn(&str) -> bool,
) {
    let mut unused: BTreeSet<&str> = allowed.iter().map(|(file, _)| *file).collect();
    let mut homes = 0;
    let mut wrong = Vec::new();
    for file in sources() {
        let meant: Vec<&Named> = file.named.iter().filter(|named| is_meant(&named.path)).collect();
        if at_home(file) {
            homes += meant.len();
            continue;
        }
        let (_, names) = allowed.iter().find(|(path, _)| *path == file.path).copied().unwrap_or_default();
        for Named { line, path } in meant {
            let is_allowed = names.iter().any(|name| is_below(path, name.trim_end_matches("::*")));
            match is_allowed {
                true => drop(unused.remove(file.path.as_str())),
                false => wrong.push(format!("src/{}:{line}: {path}", file.path)),
            }
        }
    }
    assert!(wrong.is_empty(), "{why}:\n{}\n", wrong.join("\n"));
    assert!(homes > 0, "what is looked for is found nowhere");
    assert!(unused.is_empty(), "{unused:?} no longer need their place in the list");
}

fn sources() -> &'static [Source] {
    static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(read_sources);
    &SOURCES
}

fn read_sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = without_comments_and_tests(&std::fs::read_to_string(&path).unwrap());
                files.push(Source::new(path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned(), text));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Comments here begin a line or follow code after two spaces; unit tests end a file.
fn without_comments_and_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    let lines = code.lines().map(|line| match line.trim_start().starts_with("//") {
        true => "",
        false => line.split("  // ").next().unwrap(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn trees_of_use_are_read() {
    let text =
        "use crate::a::{self, b::C as D, e::{F, g}};\nuse super::store::{self, X};\nfn f() -> crate::h::I { y::j() }";
    let file = Source::new("conversations/graphql/mod.rs".into(), text.into());
    let paths: Vec<_> = file.named.iter().map(|named| format!("{} {}", named.line, named.path)).collect();
    let expected = [
        "1 crate::a",
        "1 crate::a::b::C",
        "1 crate::a::e::F",
        "1 crate::a::e::g",
        "2 crate::conversations::store",
        "2 crate::conversations::store::X",
        "3 crate::h::I",
        "3 y::j",
    ];
    assert_eq!(paths, expected);
}
