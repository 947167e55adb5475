//! Which SQL statements ran, as `LOG=sql=debug` shows them.

use std::fmt::Debug;
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

static RECORDED: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Has statements recorded from now on.
pub fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = Targets::new().with_target("sql", Level::DEBUG).with_target("chinwag::jobs", Level::INFO);
        let recorder = Recorder.with_filter(wanted);
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(recorder)).unwrap();
    });
}

/// Those on one database while `work` runs; transactions' own words are left out, and what
/// belongs to jobs, which run beside it.
pub async fn during<T>(database: &str, work: impl Future<Output = T>) -> (Vec<String>, T) {
    let from = RECORDED.lock().unwrap().len();
    let done = work.await;
    let recorded = RECORDED.lock().unwrap();
    let statements = recorded[from..].iter().filter(|(name, _)| name == database).map(|(_, sql)| sql.clone());
    let frames = |sql: &String| sql.starts_with("BEGIN") || sql == "ROLLBACK" || sql.ends_with("COMMIT");
    // The server looks for work as it starts and from time to time, whatever else it does.
    let looks = |sql: &String| sql.starts_with("WITH taken ") || sql.ends_with("ON CONFLICT DO NOTHING");
    let statements = statements.filter(|sql| !(frames(sql) || looks(sql) && sql.contains(" jobs ")));
    (statements.collect(), done)
}

struct Recorder;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let is_of_a_job = context.event_scope(event).is_some_and(|mut spans| spans.any(|span| span.name() == "job"));
        if event.metadata().target() != "sql" || is_of_a_job {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        RECORDED.lock().unwrap().push((fields.database, fields.statement));
    }
}

#[derive(Default)]
struct Fields {
    database: String,
    statement: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "database" => self.database = format!("{value:?}"),
            "statement" => self.statement = format!("{value:?}"),
            _ => {}
        }
    }
}
