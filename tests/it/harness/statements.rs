//! Which SQL statements ran, as `LOG=sql=debug` shows them.

use std::fmt::Debug;
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

static RECORDED: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Has statements recorded from now on.
pub fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let recorder =
            Recorder.with_filter(tracing_subscriber::filter::Targets::new().with_target("sql", Level::DEBUG));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(recorder)).unwrap();
    });
}

/// Those on one database while `work` runs; transactions' own words are left out, and looks at the jobs' table.
pub async fn during<T>(database: &str, work: impl Future<Output = T>) -> (Vec<String>, T) {
    let from = RECORDED.lock().unwrap().len();
    let done = work.await;
    let recorded = RECORDED.lock().unwrap();
    let statements = recorded[from..].iter().filter(|(name, _)| name == database).map(|(_, sql)| sql.clone());
    let frames = |sql: &String| sql.starts_with("BEGIN") || sql == "ROLLBACK" || sql.ends_with("COMMIT");
    // The server looks for work from time to time, whatever else it does.
    let looks = |sql: &String| sql.starts_with("WITH taken ");
    let statements = statements.filter(|sql| !frames(sql) && !looks(sql));
    (statements.collect(), done)
}

struct Recorder;

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
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
