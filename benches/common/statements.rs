//! What the server asks the database for an operation, to be asked again without the server.
//!
//! It is read from the database's own log: whatever is added to the operation, or to how it is looked up, is in it.

use std::path::Path;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type};
use tokio_postgres::{Client, Statement};

use super::database::Database;
use super::http::Http;
use super::server::Server;

/// Has every connection log what it is asked, with the values.
const LOGGED: &str = "?options=-c%20log_statement%3Dall%20-c%20log_error_verbosity%3Ddefault";

/// A statement and its values.
pub struct Asked {
    sql: String,
    values: Vec<AsText>,
}

/// What each of these operations makes a server ask.
pub async fn asked_for(database: &Database, token: &str, operations: &[String]) -> Vec<Vec<Asked>> {
    let server = Server::start_at(&logged(database));
    let mut http = Http::graphql(server.address, token).await;
    // The first time the server prepares its statements.
    for operation in operations {
        http.ask(operation).await;
    }
    let mut asked = Vec::new();
    for operation in operations {
        let from = length(&database.log);
        http.ask(operation).await;
        let log = std::fs::read(&database.log).expect("a log");
        asked.push(read(&String::from_utf8_lossy(&log[from..])));
    }
    asked
}

/// The address of a database that is to log what it is asked there.
pub fn logged(database: &Database) -> String {
    format!("{}{LOGGED}", database.url)
}

/// How far the log goes.
pub fn logged_so_far(database: &Database) -> usize {
    length(&database.log)
}

/// Statements since then.
pub fn count_from(database: &Database, from: usize) -> usize {
    let log = std::fs::read(&database.log).expect("a log");
    let log = String::from_utf8_lossy(&log[from..]);
    log.lines().filter(|line| line.contains(" LOG:  execute ") || line.contains(" LOG:  statement: ")).count()
}

fn length(log: &Path) -> usize {
    std::fs::metadata(log).expect("a log").len() as usize
}

/// From lines as `… LOG:  execute s1: SELECT …` and `… DETAIL:  parameters: $1 = '…'`; those that go on begin with a tab.
fn read(log: &str) -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for entry in log.replace("\n\t", " ").lines() {
        if let Some((_, execute)) = entry.split_once(" LOG:  execute ") {
            let (_, sql) = execute.split_once(": ").expect("a statement has a name");
            all.push(Asked { sql: sql.to_owned(), values: Vec::new() });
        } else if let (Some((_, values)), Some(last)) = (entry.split_once("arameters: "), all.last_mut()) {
            last.values = values_in(values);
        }
    }
    assert!(!all.is_empty(), "the database logs nothing: {log}");
    all
}

/// From `$1 = 'it''s', $2 = NULL`.
fn values_in(mut text: &str) -> Vec<AsText> {
    let mut values = Vec::new();
    while let Some((_, rest)) = text.split_once(" = ") {
        let Some(quoted) = rest.strip_prefix('\'') else {
            values.push(AsText(None));
            text = rest;
            continue;
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices().peekable();
        text = loop {
            match characters.next().expect("a quote ends") {
                (_, '\'') if characters.next_if(|(_, next)| *next == '\'').is_some() => value.push('\''),
                (end, '\'') => break &quoted[end + 1..],
                (_, character) => value.push(character),
            }
        };
        values.push(AsText(Some(value)));
    }
    values
}

/// One connection that asks the same again.
pub struct Again {
    client: Client,
    operations: Vec<Vec<(Statement, Vec<AsText>)>>,
}

impl Again {
    pub async fn prepare(database: &Database, asked: &[Vec<Asked>]) -> Self {
        let client = database.connect().await;
        let mut operations = Vec::new();
        for statements in asked {
            let mut prepared = Vec::new();
            for Asked { sql, values } in statements {
                let types: Vec<Type> = values.iter().map(AsText::kind).collect();
                let statement =
                    client.prepare_typed(sql, &types).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
                prepared.push((statement, values.clone()));
            }
            operations.push(prepared);
        }
        Self { client, operations }
    }

    /// Asks all that one of the operations asked, one statement after the other.
    pub async fn ask(&self, operation: usize) {
        for (statement, values) in &self.operations[operation % self.operations.len()] {
            let values = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect::<Vec<_>>();
            self.client.query(statement, &values).await.unwrap_or_else(|error| panic!("{error:?}"));
        }
    }
}

/// A value of whatever type, as PostgreSQL writes it.
#[derive(Clone, Debug)]
struct AsText(Option<String>);

impl AsText {
    /// The server says of what type each value is, which no log tells. PostgreSQL finds out by itself but for lists.
    fn kind(&self) -> Type {
        let first = self.0.as_deref().and_then(|text| text.strip_prefix('{')?.split([',', '}']).next());
        match first {
            Some("") | None => Type::UNKNOWN,
            Some(first) if first.parse::<i32>().is_ok() => Type::INT4_ARRAY,
            Some(first) if uuid::Uuid::parse_str(first).is_ok() => Type::UUID_ARRAY,
            Some(_) => Type::TEXT_ARRAY,
        }
    }
}

impl ToSql for AsText {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let Some(text) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    tokio_postgres::types::to_sql_checked!();
}
